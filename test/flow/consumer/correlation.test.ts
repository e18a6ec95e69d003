// One correlation id, from the append to the last log line: event store, relay, bus, SQS, consumer, react, retry and dead
// letter, all of them the real code on the memory engine. Every line that anybody writes must carry it.

import type { PutEventsCommand, PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import type { InvokeCommand } from '@aws-sdk/client-lambda';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { composeConsumer } from '../../../lib/flow/consumer/compose-consumer.ts';
import { checkDeclaration } from '../../../lib/flow/consumer/declaration.ts';
import type { React, ReactContext, WakeUps } from '../../../lib/flow/consumer/port.ts';
import { createDeadLetters } from '../../../lib/flow/dead-letter/dead-letters.ts';
import { createEventStore } from '../../../lib/flow/event-store/event-store.ts';
import { verifyCommit } from '../../../lib/flow/event-store/hash.ts';
import { createLog } from '../../../lib/flow/log/log.ts';
import { createRegistry } from '../../../lib/flow/registry/registry.ts';
import { createBackfills } from '../../../lib/flow/relay/backfills.ts';
import { createBus } from '../../../lib/flow/relay/bus.ts';
import { createIncidents } from '../../../lib/flow/relay/incidents.ts';
import { createRelay } from '../../../lib/flow/relay/relay.ts';
import { createStoredCommits } from '../../../lib/flow/relay/stored-commits.ts';
import type { ConsumerDeclaration } from '../../../lib/model/consumer.ts';
import type { Event } from '../../../lib/model/event.ts';
import type { Position } from '../../../lib/model/ids.ts';
import { ALL_TABLES } from '../../../lib/platform/dynamodb/schemas.ts';
import { recordingLogger } from '../../../lib/platform/logging.ts';
import { recordingMetrics, silentMetrics } from '../../../lib/platform/metrics.ts';
import { createAlerts } from '../../../lib/recovery/alert/alerts.ts';
import { announceDeadLetters } from '../../../lib/recovery/alert/announce-dead-letters.ts';
import { composeRedrive } from '../../../lib/recovery/redrive/compose.ts';
import { answerRedrive } from '../../../lib/recovery/redrive/redrive.ts';
import { createRetries } from '../../../lib/recovery/redrive/retry-client.ts';
import { type EngineTables, memoryEngine } from '../../support/engines.ts';
import { envelope, sqsRecord } from './message-samples.ts';

const CORRELATION_ID = 'checkout-42';
const QUEUE_URL = 'https://sqs/inventory';
const TABLES = {
  eventsTable: 'Events',
  logTable: 'Log',
  checkpointsTable: 'Checkpoints',
  deadLettersTable: 'DeadLetters',
  idempotencyTable: 'Idempotency',
};

let tables: EngineTables;
let logger: ReturnType<typeof recordingLogger>;
let reacted: { event: Event; context: ReactContext }[];
let sent: Parameters<WakeUps['send']>[1][number][];

beforeEach(async () => {
  tables = await memoryEngine.createTables(ALL_TABLES);
  logger = recordingLogger();
  reacted = [];
  sent = [];
});

/** The relay over everything in the DynamoDB stream; answers what EventBridge was given. */
async function relay(): Promise<PutEventsRequestEntry[]> {
  const { dynamo, world } = tables;
  const entries: PutEventsRequestEntry[] = [];
  const client = {
    send: async ({ input }: PutEventsCommand) => {
      entries.push(...(input.Entries ?? []));
      return { FailedEntryCount: 0, Entries: (input.Entries ?? []).map((_, i) => ({ EventId: `eb-${i}` })) };
    },
  };
  const records = await tables.streamRecords(TABLES.eventsTable);
  const report = await createRelay({
    log: createLog({ dynamo, logTable: TABLES.logTable, world }),
    source: createStoredCommits({ dynamo, eventsTable: TABLES.eventsTable, world }),
    verify: verifyCommit,
    bus: createBus({ client: client as never, busName: 'bus', world }),
    incidents: createIncidents({ dynamo, logTable: TABLES.logTable, world }),
    backfills: createBackfills({ dynamo, logTable: TABLES.logTable, world }),
    continuations: { send: async () => undefined },
    world,
    logger,
    metrics: silentMetrics,
  }).relayBatch(records, { remainingMs: () => 10_000 });
  expect(report.failures).toEqual([]);
  return entries;
}

/** What EventBridge makes of an entry, as an SQS target receives it. */
const deliver = ({ Detail, DetailType, Source }: PutEventsRequestEntry, index: number) =>
  sqsRecord(envelope(JSON.parse(Detail as string), DetailType, { source: Source }), `m-${index}`);

/** Time stands still while the consumer works: its deadline is set and never reached. */
const sleep = (_ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));

async function consumerWith(react: React, more: Partial<ConsumerDeclaration> = {}) {
  const { dynamo } = tables;
  const world = { ...tables.world, timers: { sleep } };
  const declaration = checkDeclaration({
    name: 'inventory',
    eventTypes: ['OrderPlaced'],
    effects: 'transactional',
    maxAttempts: 2,
    ...more,
  });
  await createRegistry({ dynamo, checkpointsTable: TABLES.checkpointsTable }).register(
    { declaration, queueUrl: QUEUE_URL, functionName: 'inventory-fn', owner: 'shop/Inventory' },
    0 as Position,
    world.clock.now(),
  );
  const handle = composeConsumer({
    declaration,
    react: (event, context) => {
      reacted.push({ event, context });
      return react(event, context);
    },
    tables: TABLES,
    dynamo,
    wakeUps: {
      send: async (_queueUrl, messages) => {
        sent.push(...messages);
      },
    },
    queueUrl: QUEUE_URL,
    markerTtlMs: 86_400_000,
    serverClock: world.clock,
    world,
    logger,
    metrics: recordingMetrics(),
  });
  return (records: unknown[]) => handle({ Records: records }, { remainingMs: () => 10_000, requestId: 'r-1' });
}

const append = () =>
  createEventStore({ dynamo: tables.dynamo, world: tables.world, ...TABLES }).append(
    'order-1',
    [{ id: 'e-1', type: 'OrderPlaced', data: { sku: 'A-1' } }],
    'no-stream',
    { correlationId: CORRELATION_ID },
  );

function expectEveryLineToCarryIt(atLeast: number): void {
  expect(logger.lines.length).toBeGreaterThanOrEqual(atLeast);
  for (const line of logger.lines) expect(line).toMatchObject({ facts: { correlationId: CORRELATION_ID } });
}

describe('one correlation id', () => {
  it('goes from append through relay, bus and queue to react and to every log line', async () => {
    await append();
    const published = await relay();
    expect(published.map(({ Detail }) => JSON.parse(Detail as string).correlationId)).toEqual([CORRELATION_ID]);
    const consume = await consumerWith(() => []);
    expect(await consume(published.map(deliver))).toEqual({ batchItemFailures: [] });
    expect(reacted).toHaveLength(1);
    expect(reacted[0]?.event.metadata.correlationId).toBe(CORRELATION_ID);
    expect(reacted[0]?.context.correlationId).toBe(CORRELATION_ID);
    expectEveryLineToCarryIt(2);
    expect(new Set(logger.lines.map(({ message }) => message)).size).toBeGreaterThanOrEqual(2);
  });

  it('stays on every line of failures, the retry message and the dead letter', async () => {
    await append();
    const published = await relay();
    const consume = await consumerWith(() => Promise.reject(new Error('out of stock')));
    await consume(published.map(deliver));
    expect(sent.map(({ message }) => message)).toMatchObject([{ reason: 'retry', correlationId: CORRELATION_ID }]);
    tables.clock.advance(60_000);
    await consume(sent.splice(0).map(({ message }, index) => sqsRecord(message, `retry-${index}`)));
    expect(await tables.items(TABLES.deadLettersTable)).toMatchObject([
      { correlationId: CORRELATION_ID, status: 'parked', attempts: 2 },
    ]);
    expect(reacted).toHaveLength(2);
    expectEveryLineToCarryIt(3);
  });

  it('is on the line about a message that is refused', async () => {
    await append();
    const [entry] = await relay();
    const consume = await consumerWith(() => []);
    const broken = { ...JSON.parse(entry?.Detail as string), version: -1 };
    const { batchItemFailures } = await consume([sqsRecord(envelope(broken), 'm-1')]);
    expect(batchItemFailures).toEqual([{ itemIdentifier: 'm-1' }]);
    expectEveryLineToCarryIt(2);
  });

  it.each(['park', 'skip'] as const)(
    'reaches through dead letter, alert, retryEvent and redelivery (%s)',
    async (onPoison) => {
      await append();
      let isFixed = false;
      const consume = await consumerWith(() => (isFixed ? [] : Promise.reject(new Error('out of stock'))), {
        onPoison,
        maxAttempts: 1,
      });
      await consume((await relay()).map(deliver));
      const alerts: string[] = [];
      const table = { dynamo: tables.dynamo, table: 'Recovery' };
      const announced = await announceDeadLetters({
        deadLetters: createDeadLetters({ ...table, table: TABLES.deadLettersTable, world: tables.world }),
        alerts: createAlerts({
          ...table,
          clock: tables.clock,
          topicArn: 'arn:aws:sns:eu-central-1:111122223333:alerts',
          sns: { send: async ({ input }) => void alerts.push(String(input.Message)) },
        }),
        clock: tables.clock,
        // The line says how many groups there are: it is about no event.
        logger: recordingLogger(),
      });
      expect(announced).toEqual({ groups: 1, published: 1 });
      expect(JSON.parse(alerts[0] as string)).toMatchObject({ examples: [{ correlationId: CORRELATION_ID }] });

      isFixed = true;
      expect(await retryEvent('e-1')).toBe(1);
      const kind = onPoison === 'park' ? 'wake-up' : 'redeliver';
      expect(sent.map(({ message }) => message)).toMatchObject([{ kind, correlationId: CORRELATION_ID }]);
      expect(await consume(sent.splice(0).map(({ message }, n) => sqsRecord(message, `again-${n}`)))).toEqual({
        batchItemFailures: [],
      });
      expect(reacted.map(({ context }) => context.correlationId)).toEqual([CORRELATION_ID, CORRELATION_ID]);
      expect(reacted[1]?.event.metadata.correlationId).toBe(CORRELATION_ID);
      expect(await tables.items(TABLES.deadLettersTable)).toMatchObject([
        { correlationId: CORRELATION_ID, status: 'resolved' },
      ]);
      expectEveryLineToCarryIt(5);
    },
  );
});

/** The exported retryEvent, answered by the code of the redrive function. */
function retryEvent(id: string): Promise<number> {
  const { dynamo, world } = tables;
  const deps = composeRedrive({
    ...TABLES,
    deployment: 'here',
    recoveryTable: 'Recovery',
    dynamo,
    world,
    logger,
    wakeUps: { send: async (_queueUrl, messages) => void sent.push(...messages) },
  });
  const client = {
    send: async ({ input }: InvokeCommand) => {
      const request = JSON.parse(Buffer.from(input.Payload as Uint8Array).toString('utf8')) as unknown;
      const answer = await answerRedrive(
        deps,
        { ...(request as object), canary: false },
        {
          remainingMs: () => 10_000,
          requestId: 'r-2',
        },
      );
      return { Payload: Buffer.from(JSON.stringify(answer)) };
    },
  };
  return createRetries({ client, functionName: 'redrive', requestedBy: 'anna' }).retryEvent(id);
}
