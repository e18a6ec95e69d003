import { setImmediate as nextTurn } from 'node:timers/promises';
import type { QueryCommandInput } from '@aws-sdk/lib-dynamodb';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { createDeadLetters } from '../../../lib/flow/dead-letter/dead-letters.ts';
import { deadLetterId } from '../../../lib/flow/dead-letter/id.ts';
import type { DeadLetter } from '../../../lib/model/dead-letter.ts';
import { createAlerts } from '../../../lib/recovery/alert/alerts.ts';
import { announceDeadLetters, READ_MAX } from '../../../lib/recovery/alert/announce-dead-letters.ts';
import { INTAKE_ROUNDS_MAX } from '../../../lib/recovery/dead-letter-intake/decide-intake.ts';
import { type IntakeDeps, intake } from '../../../lib/recovery/dead-letter-intake/intake.ts';
import { createIntakeRows } from '../../../lib/recovery/dead-letter-intake/intake-rows.ts';
import type { DeadRecord } from '../../../lib/recovery/dead-letter-intake/parse-dead-message.ts';
import { type Bench, createBench } from '../redrive/support.ts';

const HOUR = 3_600_000;
let bench: Bench;
let deps: IntakeDeps;
let published: { subject: string; body: Record<string, unknown> }[];
let snsFails: boolean;

beforeEach(async () => {
  bench = await createBench();
  published = [];
  snsFails = false;
  const { system } = bench;
  const table = { dynamo: system.dynamo, table: 'Recovery' };
  deps = {
    dynamo: system.dynamo,
    registry: system.registry,
    checkpoints: system.checkpoints,
    deadLetters: system.deadLetters,
    openGaps: bench.openGaps,
    rows: createIntakeRows(table),
    alerts: createAlerts({
      ...table,
      clock: system.clock,
      topicArn: 'arn:aws:sns:eu-central-1:111122223333:alerts',
      sns: {
        send: async ({ input }) => {
          if (snsFails) throw new Error('SNS is down');
          published.push({ subject: String(input.Subject), body: JSON.parse(String(input.Message)) });
        },
      },
    }),
    wakeUps: system.wakeUps,
    clock: system.clock,
    logger: system.logger,
    metrics: system.metrics,
  };
});

const dead = (body: unknown, more: Partial<DeadRecord> = {}): DeadRecord => ({
  messageId: 'm-1',
  body: typeof body === 'string' ? body : JSON.stringify(body),
  eventSourceARN: 'arn:aws:sqs:eu-central-1:111122223333:dead',
  attributes: {},
  messageAttributes: {},
  ...more,
});
const wakeUp = (version: number, more: object = {}) => ({
  format: 1,
  kind: 'wake-up',
  consumer: 'billing',
  streamId: 'order-1',
  version,
  hops: 0,
  reason: 'gap',
  correlationId: 'correlation-1',
  ...more,
});
const kept = async () => (await bench.system.items('Recovery')).filter(({ pk }) => pk === 'undeliverable');

describe('the dead-letter intake', () => {
  it('drops what is resolved already, with a trace', async () => {
    await bench.fill({ 'order-1': 2 });
    expect(await intake(deps, [dead(wakeUp(2))])).toEqual([]);
    expect(bench.system.queued('billing')).toEqual([]);
    expect(bench.system.logger.lines.at(-1)).toMatchObject({
      message: 'dead message taken in',
      facts: { correlationId: 'correlation-1', decision: { kind: 'drop', because: 'resolved' } },
    });
  });

  it('wakes the consumer for what is not, and the event is resolved', async () => {
    await bench.system.append('order-1', ['Placed']);
    await bench.system.settle(() => true);
    expect(await intake(deps, [dead(wakeUp(1))])).toEqual([]);
    expect(bench.system.queued('billing')).toMatchObject([
      { reason: 'intake', version: 1, correlationId: 'correlation-1' },
    ]);
    await bench.system.settle();
    await bench.expectProved({ resolved: 1 });
  });

  it('wakes the consumer for all that was asked for: the message may be that of a holder who died', async () => {
    const { system } = bench;
    await system.append('order-1', ['Placed', 'Placed', 'Placed']);
    await system.settle(({ detail }) => detail.version > 1);
    const acquired = await system.checkpoints.acquire({
      consumer: 'billing' as never,
      streamId: 'order-1' as never,
      owner: 'a function that dies',
      wanted: 3 as never,
      now: system.clock.now(),
      leaseDurationMs: 10_000,
      mode: 'shared',
      purpose: 'deliver',
      startVersion: 0 as never,
      backUp: async () => 0,
    });
    expect(acquired.kind).toBe('acquired');
    expect(await intake(deps, [dead(wakeUp(1))])).toEqual([]);
    expect(system.queued('billing')).toMatchObject([{ reason: 'intake', version: 3 }]);
    system.clock.advance(60_000);
    await system.settle();
    await bench.expectProved({ resolved: 3 });
  });

  it('finds the consumer of a delivery that never reached its queue by the target', async () => {
    await bench.system.append('order-1', ['Placed']);
    await bench.system.relay();
    bench.system.deliver();
    const [body] = bench.system.queued('billing');
    bench.system.purge('billing');
    const messageAttributes = {
      RULE_ARN: { stringValue: 'arn:aws:events:eu-central-1:111122223333:rule/bus/r' },
      TARGET_ARN: { stringValue: 'arn:aws:sqs:eu-central-1:sqs:billing' },
      ERROR_CODE: { stringValue: 'NO_PERMISSIONS' },
    };
    expect(await intake(deps, [dead(body, { messageAttributes })])).toEqual([]);
    await bench.system.settle();
    await bench.expectProved({ resolved: 1 });
  });

  it('asks every consumer that could have been meant when nothing names it', async () => {
    await bench.system.append('order-1', ['Placed']);
    await bench.system.relay();
    bench.system.deliver();
    const [body] = bench.system.queued('billing');
    bench.system.purge('billing');
    expect(await intake(deps, [dead(body)])).toEqual([]);
    await bench.system.settle();
    await bench.expectProved({ resolved: 1 });
  });

  it('leaves what waits behind a dead letter where it is', async () => {
    await bench.fill({ 'order-1': 3 }, 'order-1@2');
    await intake(deps, [dead(wakeUp(3))]);
    expect(bench.system.queued('billing')).toEqual([]);
    await bench.expectProved({ parked: 1, waiting: 1 });
  });

  it('wakes a stream without progress five times, then owes it to the gap scan and tells somebody once', async () => {
    await bench.system.append('order-1', ['Placed', 'Placed']);
    await bench.system.settle(() => true);
    for (let round = 0; round < INTAKE_ROUNDS_MAX + 3; round++) {
      await intake(deps, [dead(wakeUp(2))]);
      expect(bench.system.queued('billing')).toHaveLength(round < INTAKE_ROUNDS_MAX ? 1 : 0);
      bench.system.purge('billing');
    }
    expect(await bench.openGaps.get('billing' as never, 'order-1' as never)).toMatchObject({ from: 1, to: 2 });
    expect(published.map(({ subject }) => subject)).toEqual(['billing: a stream makes no progress']);
  });

  it.each([
    ['no JSON', 'not json'],
    ['an array', []],
    ['no version', wakeUp(1, { version: 'one' })],
    ['an event of somebody else', { source: 'aws.events', 'detail-type': 'Scheduled Event', detail: {} }],
  ])('keeps a message that it does not understand (%s) and reports it', async (_what, body) => {
    const record = dead(body);
    expect(await intake(deps, [record])).toEqual([]);
    expect(await kept()).toMatchObject([{ sk: 'm-1#0000', body: record.body, parts: 1 }]);
    expect(published).toMatchObject([{ body: { fingerprint: 'undeliverable', messageId: 'm-1' } }]);
    const said = (body as { correlationId?: string }).correlationId;
    expect(bench.system.logger.lines.at(-1)?.facts.correlationId).toBe(said);
  });

  it.each([
    [
      'a schedule whose function failed three times',
      {
        version: '1.0',
        timestamp: '2026-11-25T10:00:00.000Z',
        requestContext: {
          requestId: 'r-1',
          functionArn: 'arn:aws:lambda:eu-central-1:111122223333:function:Recovery-ScanGaps:$LATEST',
          condition: 'RetriesExhausted',
          approximateInvokeCount: 3,
        },
        requestPayload: { source: 'aws.events' },
        responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
        responsePayload: { errorType: 'AccessDenied', errorMessage: 'no policy allows it' },
      },
      {},
      'RetriesExhausted: AccessDenied: no policy allows it',
    ],
    [
      'a rule that could not invoke',
      { source: 'aws.s3', 'detail-type': 'Object Created', detail: { object: { key: 'k' } } },
      {
        TARGET_ARN: { stringValue: 'arn:aws:lambda:eu-central-1:111122223333:function:Recovery-ScanGaps' },
        ERROR_CODE: { stringValue: 'NO_PERMISSIONS' },
        ERROR_MESSAGE: { stringValue: 'not allowed' },
      },
      'NO_PERMISSIONS: not allowed',
    ],
    [
      'a backfill of the relay',
      {
        source: 'event-recovery',
        'detail-type': '$RelayBackfill',
        detail: { format: 1, streamId: 's', target: 9, hops: 0 },
      },
      { TARGET_ARN: { stringValue: 'arn:aws:lambda:eu-central-1:111122223333:function:Recovery-ScanGaps' } },
      '',
    ],
  ])(
    'keeps an invocation that was given up (%s) and says whose it was',
    async (_what, body, messageAttributes, reason) => {
      const record = dead(body, { messageAttributes });
      expect(await intake(deps, [record, { ...record, messageId: 'm-2' }])).toEqual([]);
      expect((await kept()).map(({ body, reason }) => ({ body, reason }))).toEqual(
        Array(2).fill({
          body: record.body,
          reason: `an invocation of Recovery-ScanGaps was given up: ${reason}`,
        }),
      );
      expect(published).toMatchObject([
        {
          subject: 'Recovery-ScanGaps: an invocation was given up, its message is kept',
          body: { consumer: 'Recovery-ScanGaps', fingerprint: 'invocation-given-up', messageId: 'm-1' },
        },
      ]);
    },
  );

  it.each(['arn:aws:lambda:eu-central-1:111122223333:function:', 'no arn', 7, null])(
    'takes a record that only looks like a given up invocation (%s) for what it is: not understood',
    async (functionArn) => {
      await intake(deps, [dead({ requestContext: { functionArn }, responsePayload: null })]);
      expect(published).toMatchObject([{ body: { consumer: 'unknown', fingerprint: 'undeliverable' } }]);
    },
  );

  it('keeps the largest message that SQS has, in parts', async () => {
    const body = 'é'.repeat(1_048_576 / 2);
    await intake(deps, [dead(body)]);
    const parts = (await kept()).toSorted((a, b) => String(a.sk).localeCompare(String(b.sk)));
    expect(parts.map((part) => part.body).join('')).toBe(body);
  });

  it('splits no character between two parts, at whatever place it stands', async () => {
    const bodies = ['', 'a'].map((before) => `${before}${'😀'.repeat(100_000)}`);
    await intake(
      deps,
      bodies.map((body, index) => dead(body, { messageId: `m-${index}` })),
    );
    const parts = (await kept()).toSorted((a, b) => String(a.sk).localeCompare(String(b.sk)));
    expect(parts.every(({ body }) => String(body).isWellFormed())).toBe(true);
    const whole = ['m-0', 'm-1'].map((id) => parts.filter(({ sk }) => String(sk).startsWith(id)));
    expect(whole.map((some) => some.map(({ body }) => body).join(''))).toEqual(bodies);
  });

  it('keeps a message that is all attributes, binary ones too', async () => {
    const messageAttributes = {
      note: { stringValue: 'é'.repeat(250_000) },
      blob: { binaryValue: 'AAEC'.repeat(1_000) },
    };
    expect(await intake(deps, [dead('', { messageAttributes })])).toEqual([]);
    const parts = (await kept()).toSorted((a, b) => String(a.sk).localeCompare(String(b.sk)));
    expect(parts.map((part) => part.parts)).toEqual(Array(parts.length).fill(parts.length));
    expect(parts[0]).toMatchObject({ sk: 'm-1#0000', body: '' });
    const text = parts.slice(1).map((part) => part.messageAttributes);
    expect(JSON.parse(text.join(''))).toEqual(messageAttributes);
  });

  it('keeps what is for a consumer that is not deployed', async () => {
    await intake(deps, [dead(wakeUp(1, { consumer: 'nobody' }))]);
    expect(await kept()).toMatchObject([{ reason: 'nobody is not deployed' }]);
  });

  it('lets messages of newer code come back, and keeps them before their queue forgets them', async () => {
    const attributes = { SentTimestamp: String(bench.system.clock.now()) };
    const records = [dead(wakeUp(1, { format: 99 }), { attributes })];
    for (const days of [0, 13]) {
      bench.system.clock.advance(days * 24 * HOUR);
      expect(await intake(deps, records)).toEqual(['m-1']);
      expect(bench.system.logger.lines.at(-1)).toMatchObject({ facts: { correlationId: 'correlation-1' } });
    }
    expect(await kept()).toEqual([]);
    bench.system.clock.advance(1);
    expect(await intake(deps, records)).toEqual([]);
    expect(await kept()).toMatchObject([{ body: records[0]?.body }]);
    expect(published).toMatchObject([{ body: { fingerprint: 'undeliverable' } }]);
  });

  it('wakes a stream for a rewind that waits, resolved or parked as it is', async () => {
    const { system } = bench;
    await bench.fill({ 'order-1': 2, 'order-2': 3 }, 'order-2@3');
    for (const streamId of ['order-1', 'order-2']) {
      const request = { requestId: 'replay-1', to: 1, requestedAt: system.clock.now() };
      const key = { consumer: 'billing' as never, streamId: streamId as never };
      expect(await system.checkpoints.requestRewind(key, request as never)).toMatchObject({ kind: 'requested' });
    }
    bench.poison.clear();
    const records = [dead(wakeUp(2)), dead(wakeUp(3, { streamId: 'order-2' }), { messageId: 'm-2' })];
    expect(await intake(deps, records)).toEqual([]);
    await system.settle();
    expect(bench.effectsOf('order-1')).toEqual(['order-1@1', 'order-1@2', 'order-1@2']);
    expect(bench.effectsOf('order-2')).toEqual(['order-2@1', 'order-2@2', 'order-2@2', 'order-2@3']);
    expect(await intake(deps, [dead(wakeUp(1))])).toEqual([]);
    expect(system.queued('billing')).toEqual([]);
  });

  it('names only the message that could not be taken in', async () => {
    snsFails = true;
    await bench.fill({ 'order-1': 1 });
    const records = [dead('not json'), dead(wakeUp(1), { messageId: 'm-2' })];
    expect(await intake(deps, records)).toEqual(['m-1']);
  });

  it('tells people when SNS works again, however soon the message comes back', async () => {
    const records = [dead('not json'), dead('no json either', { messageId: 'm-2' })];
    snsFails = true;
    expect(await intake(deps, records)).toEqual(['m-1', 'm-2']);
    snsFails = false;
    bench.system.clock.advance(30_000);
    expect(await intake(deps, records)).toEqual([]);
    expect(published).toMatchObject([{ body: { fingerprint: 'undeliverable' } }]);
  });

  it('takes no alert for told that its function died over: the message comes back until it is', async () => {
    let dies = true;
    const table = { dynamo: bench.system.dynamo, table: 'Recovery' };
    const send = async () => {
      published.push({ subject: 'told', body: {} });
    };
    const sns = { send: () => (dies ? new Promise<never>(() => undefined) : send()) };
    deps = { ...deps, alerts: createAlerts({ ...table, clock: bench.system.clock, topicArn: 'arn', sns }) };
    intake(deps, [dead('not json')]).catch(() => undefined);
    while (!(await bench.system.items('Recovery')).some(({ pk }) => pk === 'alert')) await nextTurn();
    dies = false;
    bench.system.clock.advance(30_000);
    expect(await intake(deps, [dead('not json')])).toEqual(['m-1']);
    bench.system.clock.advance(31_000);
    expect(await intake(deps, [dead('not json')])).toEqual([]);
    expect(published).toHaveLength(1);
  });

  it('takes a redelivery that was given up on back to where a redrive finds it', async () => {
    bench = await createBench({ onPoison: 'skip' });
    const { system } = bench;
    const { dynamo, registry, checkpoints, deadLetters, wakeUps, logger, clock } = system;
    deps = { ...deps, dynamo, registry, checkpoints, deadLetters, wakeUps, logger, clock };
    await bench.fill({ 'order-1': 2 }, 'order-1@1');
    bench.onPause(async () => undefined);
    await bench.go({ canary: false });
    const [message] = bench.system.queued('billing');
    bench.system.purge('billing');
    expect(await bench.letters('redriving')).toHaveLength(1);
    const announce = () => announceDeadLetters({ ...deps, deadLetters });
    expect(await announce()).toEqual({ groups: 1, published: 1 });
    bench.system.clock.advance(HOUR);
    expect(await intake(deps, [dead(message)])).toEqual([]);
    const [letter] = await bench.letters('skipped');
    const { correlationId } = letter as DeadLetter;
    expect(letter).toMatchObject({ lastFailedAt: system.clock.now() });
    expect(bench.system.logger.lines.at(-1)).toMatchObject({
      message: 'dead redelivery taken in',
      facts: { correlationId },
    });
    expect(correlationId).toBeTruthy();
    expect(await announce()).toEqual({ groups: 1, published: 1 });
  });
});

describe('alerts', () => {
  const announce = () => announceDeadLetters({ ...deps, deadLetters: bench.system.deadLetters });
  const POISON = ['order-1@1', 'order-2@1', 'order-3@1'];

  it('are one per consumer, cause and window, not one per event', async () => {
    await bench.fill({ 'order-1': 1, 'order-2': 1 }, ...POISON);
    expect(await announce()).toEqual({ groups: 1, published: 1 });
    expect(await announce()).toEqual({ groups: 0, published: 0 });
    await bench.fill({ 'order-3': 1 });
    expect(await announce()).toEqual({ groups: 1, published: 0 });
    expect(published).toMatchObject([
      {
        subject: 'billing: dead letters (Error)',
        body: { deadLetters: 2, streams: 2, next: expect.stringContaining('--consumer billing --fingerprint') },
      },
    ]);
    bench.system.clock.advance(2 * HOUR);
    expect(await announce()).toEqual({ groups: 0, published: 0 });
    await bench.go();
    expect(await announce()).toEqual({ groups: 1, published: 1 });
  });

  it('that could not be published are published later', async () => {
    await bench.fill({ 'order-1': 1 }, 'order-1@1');
    snsFails = true;
    await expect(announce()).rejects.toThrow('SNS is down');
    snsFails = false;
    expect(await announce()).toEqual({ groups: 1, published: 1 });
    expect(published).toHaveLength(1);
  });

  it('are lost to no outage, however long, and are no storm after it', async () => {
    snsFails = true;
    for (let hour = 1; hour <= 50; hour++) {
      await bench.fill({ [`order-${hour}`]: 1 }, `order-${hour}@1`);
      await expect(announce()).rejects.toThrow('SNS is down');
      bench.system.clock.advance(HOUR);
    }
    bench.system.clock.advance(30 * 24 * HOUR);
    snsFails = false;
    expect(await announce()).toEqual({ groups: 1, published: 1 });
    expect(published).toMatchObject([{ body: { deadLetters: 50, parked: 50 } }]);
    expect(await announce()).toEqual({ groups: 0, published: 0 });
  });

  it('tell of both hours when the hour changes between two failures', async () => {
    const now = bench.system.clock.now();
    bench.system.clock.advance(HOUR - (now % HOUR) - 1_500);
    await bench.fill({ 'order-1': 1, 'order-2': 1 }, ...POISON);
    bench.system.clock.advance(1_000);
    await bench.fill({ 'order-3': 1 });
    expect(await announce()).toEqual({ groups: 2, published: 2 });
    expect(published.map(({ body }) => body.deadLetters)).toEqual([2, 1]);
    expect(new Set(published.map(({ body }) => body.windowStart)).size).toBe(2);
  });

  it('say nothing of what came right before anybody was told', async () => {
    await bench.fill({ 'order-1': 1 }, 'order-1@1');
    bench.poison.clear();
    await bench.go();
    expect(await announce()).toEqual({ groups: 0, published: 0 });
    expect(await bench.system.deadLetters.untold('oldest', 9)).toEqual([]);
    expect(published).toEqual([]);
  });

  it('tell of skipped events, and again when a redelivery fails again', async () => {
    bench = await createBench({ onPoison: 'skip' });
    deps = { ...deps, clock: bench.system.clock };
    await bench.fill({ 'order-1': 2 }, 'order-1@1');
    expect(await announce()).toEqual({ groups: 1, published: 1 });
    await bench.go();
    await bench.system.settle();
    expect(await bench.letters('skipped')).toMatchObject([{ rounds: 1, untold: 'yes' }]);
    expect(await announce()).toEqual({ groups: 1, published: 0 });
  });

  /** Rows as consumers write them. */
  async function record(count: number, more: (index: number) => Partial<DeadLetter>): Promise<void> {
    const { dynamo, deadLetters, clock } = bench.system;
    const stack = 'x'.repeat(1_000);
    for (let index = 0; index < count; index++) {
      const key = { consumer: 'billing', streamId: `s-${index}`, version: 1, generation: 1 } as never as DeadLetter;
      const row = {
        ...key,
        id: deadLetterId({ ...key, ...more(index) }),
        eventId: 'e',
        eventType: 'Placed',
        correlationId: 'c',
        error: { name: 'Error', message: 'm', stack },
        fingerprint: 'f1',
        attempts: 1,
        rounds: 0,
        status: 'parked',
        firstFailedAt: clock.now(),
        lastFailedAt: clock.now() + index,
        updatedAt: clock.now(),
        untold: 'yes',
        format: 1,
        ...more(index),
      } as DeadLetter;
      await dynamo.transactWrite({ TransactItems: [deadLetters.recordWrite(row)] });
    }
  }

  it('cost what is new, not what is parked', async () => {
    await record(3_000, () => ({ untold: undefined }));
    await record(1, () => ({ version: 2 as never }));
    let bytes = 0;
    const query = async (input: QueryCommandInput) => {
      const page = await bench.system.dynamo.query(input);
      bytes += JSON.stringify(page.Items).length;
      return page;
    };
    const { world } = bench.system;
    const dynamo = { ...bench.system.dynamo, query };
    const deadLetters = createDeadLetters({ dynamo, table: 'DeadLetters', world });
    expect(await announceDeadLetters({ ...deps, deadLetters })).toEqual({ groups: 1, published: 1 });
    expect(published).toMatchObject([{ body: { deadLetters: 1 } }]);
    expect(bytes).toBeLessThan(4_000);
  });

  it('tell of a new cause in the middle of a storm, and of every cause behind it in the end', async () => {
    await record(READ_MAX * 3 + 1, (index) => ({
      fingerprint: { [READ_MAX + 5]: 'in the middle', [READ_MAX * 3]: 'the newest' }[index] ?? 'the storm',
    }));
    const told = () => published.map(({ body }) => body.fingerprint);
    expect(await announce()).toEqual({ groups: 2, published: 2 });
    expect(told()).toEqual(['the storm', 'the newest']);
    expect(await announce()).toEqual({ groups: 2, published: 1 });
    expect(told()).toEqual(['the storm', 'the newest', 'in the middle']);
    expect(await announce()).toEqual({ groups: 0, published: 0 });
  });
});
