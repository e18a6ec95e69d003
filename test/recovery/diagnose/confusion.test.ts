// Thirty things that are really broken in a whole system, in random order and without telling which: what does the recovery call
// them? The confusion matrix is printed. Then two at once. `CONFUSION_SEED` tries another order.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { silentLogger } from '../../../lib/platform/logging.ts';
import type { Cause } from '../../../lib/recovery/diagnose/types.ts';
import { createAwsSigns } from '../../../lib/recovery/recover/ask-aws.ts';
import { TABLES } from '../../support/small-system.ts';
import { createRecovery, type Recovery } from '../recover/support.ts';

const MINUTE = 60_000;
const SEED = Number(process.env.CONFUSION_SEED ?? 20_261_125);

/** What AWS says, where the injection makes it say something else than "well". */
interface Aws {
  mappings: Record<string, string>;
  rule: string;
  /** By `<function, table, queue, rule or service>/<metric>`. */
  metrics: Record<string, number>;
  /** When Lambda wrote the batches that the relay gave up on. */
  failedBatches: number[];
  /** CloudWatch answers. */
  isAnswering: boolean;
}

function signsOf(aws: Aws) {
  const answers: Record<string, (input: AwsInput) => unknown> = {
    GetEventSourceMappingCommand: () => ({ State: aws.mappings.relay ?? 'Enabled' }),
    ListEventSourceMappingsCommand: ({ FunctionName }) => ({
      EventSourceMappings: [
        { State: aws.mappings[FunctionName] ?? 'Enabled', EventSourceArn: 'arn:aws:sqs:x:1:queue' },
      ],
    }),
    ListRuleNamesByTargetCommand: () => ({ RuleNames: ['rule'] }),
    DescribeRuleCommand: () => ({ State: aws.rule }),
    ListTargetsByRuleCommand: () => ({
      Targets: [{ Arn: 'arn:aws:sqs:x:1:queue', DeadLetterConfig: { Arn: 'arn:aws:sqs:x:1:undelivered' } }],
    }),
    GetQueueAttributesCommand: () => ({
      Attributes: { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: 'arn:aws:sqs:x:1:dead-letters' }) },
    }),
    ListObjectsV2Command: () => ({ Contents: aws.failedBatches.map((at) => ({ LastModified: new Date(at) })) }),
    GetMetricDataCommand: ({ MetricDataQueries }) => {
      if (!aws.isAnswering) throw new Error('ThrottlingException');
      return {
        MetricDataResults: MetricDataQueries.map(({ Id, MetricStat: { Metric } }) => ({
          Id,
          Values: [aws.metrics[`${Metric.Dimensions[0]?.Value}/${Metric.MetricName}`] ?? 0],
        })),
      };
    },
  };
  const client = {
    send: async (command: { constructor: { name: string }; input: AwsInput }) =>
      answers[command.constructor.name]?.(command.input),
  } as never;
  return createAwsSigns({
    lambda: client,
    cloudWatch: client,
    events: client,
    sqs: client,
    s3: client,
    logger: silentLogger,
    busName: 'bus',
    relay: { functionName: 'relay', mappingId: 'mapping' },
    failuresBucket: 'failures',
    deadLetterQueues: ['schedules'],
    tables: Object.values(TABLES),
    namespace: 'EventRecovery',
  });
}

interface AwsInput {
  FunctionName: string;
  MetricDataQueries: MetricQuery[];
}

interface MetricQuery {
  Id: string;
  MetricStat: { Metric: { MetricName: string; Dimensions: { Value: string }[] } };
}

interface World {
  recovery: Recovery;
  aws: Aws;
  /** What the consumer `shelf` did, as its verify() sees it. */
  shelf: Map<string, number[]>;
}

async function createWorld(): Promise<World> {
  const aws: Aws = {
    mappings: {},
    rule: 'ENABLED',
    metrics: { 'billing/Invocations': 100 },
    failedBatches: [],
    isAnswering: true,
  };
  const recovery = await createRecovery({ signs: signsOf(aws) });
  const shelf = new Map<string, number[]>();
  await recovery.system.addConsumer(
    { name: 'shelf', eventTypes: ['Placed', 'Paid'], effects: 'idempotent' },
    ({ streamId, metadata: { version } }) => void shelf.set(streamId, [...(shelf.get(streamId) ?? []), version]),
    {
      verify: async ({ streamId, events }) => {
        const missing = [];
        for await (const { event } of events) {
          const { version } = event.metadata;
          if (!shelf.get(streamId)?.includes(version)) missing.push({ version, detail: 'not on the shelf' });
        }
        return missing;
      },
    },
  );
  // One for each injection, so that any two can be at once.
  await recovery.bench.fill(Object.fromEntries(['well', ...'abcdefgh'].map((name) => [`order-${name}`, 3])));
  return { recovery, aws, shelf };
}

const commit = (streamId: string, version: number) => ({ TableName: TABLES.eventsTable, Key: { streamId, version } });
const remove = ({ recovery }: World, streamId: string, version: number) =>
  recovery.system.dynamo.delete(commit(streamId, version));
const lose = async ({ recovery: { system } }: World, streamId: string, types: string[]): Promise<void> => {
  await system.append(streamId, types);
  await system.settle((entry) => entry.detail.streamId === streamId);
};
const change = ({ recovery }: World, streamId: string, version: number, attribute: string, value: unknown) =>
  recovery.system.dynamo.update({
    ...commit(streamId, version),
    UpdateExpression: 'SET #attribute = :value',
    ExpressionAttributeNames: { '#attribute': attribute },
    ExpressionAttributeValues: { ':value': value },
  });
const stored = async ({ recovery }: World, streamId: string, version: number): Promise<Record<string, unknown>> =>
  (await recovery.system.dynamo.get(commit(streamId, version))).Item ?? {};

const INJECTIONS: [what: string, cause: Cause, inject: (world: World) => unknown][] = [
  [
    'a byte flipped in a stored commit',
    'data-corruption',
    async (world) => {
      const { events } = await stored(world, 'order-a', 2);
      await change(world, 'order-a', 2, 'events', String(events).replace('"n":2', '"n":7'));
    },
  ],
  ['a commit deleted in the middle', 'data-corruption', (world) => remove(world, 'order-b', 2)],
  [
    'a commit copied from another stream',
    'data-corruption',
    async (world) => {
      const { streamId: _streamId, ...other } = await stored(world, 'order-well', 2);
      const put = { TableName: TABLES.eventsTable, Item: { ...other, streamId: 'order-c' } };
      await world.recovery.system.dynamo.put(put);
    },
  ],
  [
    'the link of a commit changed',
    'data-corruption',
    (world) => change(world, 'order-d', 2, 'previousHash', 'f'.repeat(64)),
  ],
  ['the tail of a stream deleted', 'truncated-stream', (world) => remove(world, 'order-e', 3)],
  [
    'a whole stream deleted',
    'truncated-stream',
    async (world) => {
      for (const version of [1, 2, 3]) await remove(world, 'order-f', version);
    },
  ],
  [
    'a commit that never reached the log',
    'unsequenced-commits',
    async ({ recovery: { system } }) => {
      await system.append('order-late', ['Placed']);
      system.clock.advance(20 * MINUTE);
    },
  ],
  ['the end of a stream never delivered', 'delivery-lost', (world) => lose(world, 'order-g', ['Placed'])],
  ['a new stream never delivered', 'delivery-lost', (world) => lose(world, 'order-new', ['Placed', 'Paid'])],
  [
    'the queue purged',
    'delivery-lost',
    async ({ recovery: { system } }) => {
      await system.append('order-h', ['Paid']);
      await system.relay();
      system.deliver();
      system.purge('billing');
    },
  ],
  ['one poison message', 'poison-message', ({ recovery }) => recovery.bench.fill({ 'order-p': 2 }, 'order-p@1')],
  [
    'three poison messages',
    'poison-message',
    ({ recovery }) => recovery.bench.fill({ 'p-1': 1, 'p-2': 1, 'p-3': 1 }, 'p-1@1', 'p-2@1', 'p-3@1'),
  ],
  [
    'a consumer that gives up on everything',
    'consumer-failing',
    ({ recovery }) => {
      const streams = Array.from({ length: 25 }, (_, index) => `q-${index}`);
      return recovery.bench.fill(
        Object.fromEntries(streams.map((name) => [name, 1])),
        ...streams.map((name) => `${name}@1`),
      );
    },
  ],
  [
    'a consumer that crashes',
    'consumer-failing',
    ({ aws }) => void Object.assign(aws.metrics, { 'billing/Errors': 80 }),
  ],
  [
    'a consumer without concurrency',
    'throttled',
    ({ aws }) => void Object.assign(aws.metrics, { 'billing/Throttles': 90 }),
  ],
  [
    'tables without capacity',
    'throttled',
    ({ aws }) => void Object.assign(aws.metrics, { 'Log/WriteThrottleEvents': 60 }),
  ],
  ['a consumer switched off', 'consumer-down', ({ aws }) => void Object.assign(aws.mappings, { billing: 'Disabled' })],
  ['the rule of the bus switched off', 'broker-down', ({ aws }) => void Object.assign(aws, { rule: 'DISABLED' })],
  ['the relay switched off', 'relay-down', ({ aws }) => void Object.assign(aws.mappings, { relay: 'Disabled' })],
  [
    'a partition between relay and bus',
    'bus-unreachable',
    ({ aws }) => void Object.assign(aws.metrics, { 'relay-commits/EntriesNotPublished': 40 }),
  ],
  [
    'a finding of the scrub that nobody has closed',
    'scrub-finding-open',
    async ({ recovery }) => {
      const damage = {
        kind: 'hash-mismatch',
        streamId: 'order-well',
        from: 2,
        to: 2,
        detail: 'x',
        evidence: {},
      } as const;
      await recovery.findings.record(damage, recovery.system.clock.now());
    },
  ],
  [
    'a page of the log written twice',
    'log-damaged',
    async ({ recovery: { system } }) => {
      const pages = (await system.items(TABLES.logTable)).filter(({ pk }) => String(pk).startsWith('page#'));
      const last = pages.sort((a, b) => String(a.sk).localeCompare(String(b.sk))).at(-1);
      const first = Number(last?.lastPosition) + 1;
      const end = first + Number(last?.lastPosition) - Number(last?.firstPosition);
      const moved = { ...last, sk: String(first).padStart(16, '0'), firstPosition: first, lastPosition: end };
      await system.dynamo.put({ TableName: TABLES.logTable, Item: moved });
    },
  ],
  [
    'an effect that somebody deleted',
    'effect-wrong',
    ({ shelf }) => void shelf.set('order-well', (shelf.get('order-well') ?? []).slice(1)),
  ],
  [
    'an intake that takes nothing from a consumer’s dead-letter queue',
    'dead-letters-waiting',
    ({ aws }) => void Object.assign(aws.metrics, { 'dead-letters/ApproximateNumberOfMessagesVisible': 3 }),
  ],
  [
    'a schedule that was given up on',
    'dead-letters-waiting',
    ({ aws }) => void Object.assign(aws.metrics, { 'schedules/ApproximateNumberOfMessagesVisible': 1 }),
  ],
  [
    'a consumer that is slower than its messages',
    'consumer-slow',
    ({ aws }) => void Object.assign(aws.metrics, { 'billing/ApproximateAgeOfOldestMessage': 1_800 }),
  ],
  [
    'a rule that may not reach its queue',
    'broker-down',
    ({ aws }) => void Object.assign(aws.metrics, { 'rule/FailedInvocations': 12, 'rule/InvocationsSentToDLQ': 12 }),
  ],
  [
    'events in the queue of what a rule could not deliver',
    'broker-down',
    ({ aws }) => void Object.assign(aws.metrics, { 'undelivered/ApproximateNumberOfMessagesVisible': 2 }),
  ],
  [
    'a batch that the relay gave up on',
    'relay-failing',
    ({ aws, recovery }) => void aws.failedBatches.push(recovery.system.clock.now()),
  ],
  ['a CloudWatch that does not answer', 'unknown', ({ aws }) => void Object.assign(aws, { isAnswering: false })],
];

/** What a cause brings with it and is rightly named, too. */
const CONSEQUENCES: Partial<Record<Cause, Cause[]>> = { 'truncated-stream': ['checkpoint-beyond-head'] };

/** What can be a part of: dead letters of a consumer that gives up on everything are its dead letters. */
const PARTS: Partial<Record<Cause, Cause[]>> = { 'poison-message': ['consumer-failing'] };

async function named(...chosen: typeof INJECTIONS): Promise<Cause[]> {
  const world = await createWorld();
  // What the relay is not to see comes last: the others let it work.
  const last = ([, cause]: (typeof INJECTIONS)[number]): number => Number(cause === 'unsequenced-commits');
  for (const [, , inject] of chosen.toSorted((a, b) => last(a) - last(b))) await inject(world);
  world.recovery.system.clock.advance(2 * MINUTE);
  await world.recovery.run({});
  return [...new Set(world.recovery.report().findings.map(({ cause }) => cause))];
}

describe('a recovery that is told nothing', () => {
  it('names each of thirty injections, with no miss and no false alarm', async () => {
    expect(INJECTIONS).toHaveLength(30);
    const [order = []] = fc.sample(fc.shuffledSubarray(INJECTIONS, { minLength: 30, maxLength: 30 }), {
      seed: SEED,
      numRuns: 1,
    });
    const rows: { what: string; cause: Cause; found: Cause[] }[] = [];
    for (const injection of order)
      rows.push({ what: injection[0], cause: injection[1], found: await named(injection) });
    process.stdout.write(matrix(rows));
    expect(rows.filter(({ cause, found }) => !found.includes(cause))).toEqual([]);
    const alarms = rows.map(({ what, cause, found }) => ({
      what,
      falseAlarms: found.filter((one) => one !== cause && !(CONSEQUENCES[cause] ?? []).includes(one)),
    }));
    expect(alarms.filter(({ falseAlarms }) => falseAlarms.length > 0)).toEqual([]);
  }, 120_000);

  it('names two at once', async () => {
    // Who does not answer hides what only he knows; that it is unknown is then what is said.
    const seen = INJECTIONS.filter(([, cause]) => cause !== 'unknown');
    const pairs = fc.sample(fc.shuffledSubarray(seen, { minLength: 2, maxLength: 2 }), {
      seed: SEED,
      numRuns: 12,
    });
    for (const pair of pairs) {
      const found = await named(...pair);
      const isNamed = (cause: Cause): boolean => [cause, ...(PARTS[cause] ?? [])].some((one) => found.includes(one));
      const missed = pair.filter(([, cause]) => !isNamed(cause));
      expect({ pair: pair.map(([what]) => what), found, missed: missed.map(([what]) => what) }).toMatchObject({
        missed: [],
      });
    }
  }, 120_000);

  it('finds nothing in a system that is well', async () => {
    expect(await named()).toEqual([]);
  });
});

/** Rows: what was injected; columns: what it was called. */
function matrix(rows: readonly { cause: Cause; found: readonly Cause[] }[]): string {
  const causes = [...new Set(rows.flatMap(({ cause, found }) => [cause, ...found]))].sort();
  const line = (cells: readonly (string | number)[]): string =>
    cells.map((cell, index) => (index === 0 ? String(cell).padEnd(24) : String(cell).padStart(3))).join(' ');
  const counted = causes.map((cause) => {
    const of = rows.filter((row) => row.cause === cause);
    return line([cause, ...causes.map((named) => of.filter(({ found }) => found.includes(named)).length || '.')]);
  });
  const header = line(['injected \\ named', ...causes.map((_, index) => index + 1)]);
  const legend = causes.map((cause, index) => `${index + 1} ${cause}`).join(', ');
  return `\n${[header, ...counted, legend].join('\n')}\n\n`;
}
