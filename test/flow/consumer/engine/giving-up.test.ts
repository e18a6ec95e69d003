// Failures of react: retries with pauses, giving up in order, blame after an unclean end, deadlines, writes that can never
// be committed.

import { describe, expect, it } from '@jest/globals';
import { WRITES_PER_EVENT } from '../../../../lib/flow/consumer/own-writes.ts';
import type { Write } from '../../../../lib/platform/dynamodb/port.ts';
import { expectAllResolved, expectSound } from './checks.ts';
import { type ReactInput, range, System, type SystemOptions, TYPE } from './system.ts';

const isPoison = ({ event }: ReactInput) => event.streamId === 'bad' && event.metadata.version === 3;

const failing =
  (message = 'no stock for order 17'): NonNullable<SystemOptions['react']> =>
  (input) => {
    if (isPoison(input)) throw new TypeError(message);
    return undefined;
  };

describe('an event that always fails', () => {
  it('is tried again after 1 and 4 seconds, then parks its stream; other streams of the batch go on', async () => {
    const tries: number[] = [];
    const react: SystemOptions['react'] = (input) => {
      if (isPoison(input)) tries.push(input.time.now());
      return failing()(input);
    };
    const system = new System({ react, concurrency: 1 });
    await system.append('bad', [1, 3, 1]);
    await system.append('good', [4]);
    await system.deliver('bad', range(1, 5));
    await system.deliver('good', range(1, 4));
    await system.untilQuiet();
    await expectAllResolved(system, 'good', 4);
    await expectSound(system, 'bad');
    expect(tries.slice(1).map((at, i) => Math.round((at - (tries[i] as number)) / 1000))).toEqual([1, 4]);
    expect(await system.checkpoint('bad')).toMatchObject({
      version: 2,
      wanted: 5,
      parked: { version: 3, deadLetterId: 'inventory#1#3#bad' },
      lastDeadLetter: { generation: 1, version: 3 },
    });
    expect(await system.checkpoint('bad')).not.toHaveProperty('lease');
    expect(await system.deadLetters.get('inventory#1#3#bad')).toMatchObject({
      consumer: 'inventory',
      streamId: 'bad',
      version: 3,
      generation: 1,
      eventId: 'e3',
      eventType: TYPE,
      correlationId: 'bad/3',
      error: {
        name: 'TypeError',
        message: 'no stock for order 17',
        stack: expect.stringContaining('giving-up.test.ts'),
      },
      fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
      attempts: 3,
      rounds: 0,
      status: 'parked',
      firstFailedAt: tries[0],
      lastFailedAt: tries[2],
    });
    expect(system.queue.dead).toEqual([]);
  });

  it('keeps later deliveries waiting, recorded and acknowledged', async () => {
    const system = new System({ react: failing(), concurrency: 2 });
    await system.append('bad', [5]);
    await system.deliver('bad', [3]);
    await system.untilQuiet();
    await system.append('bad', [1, 1]);
    await system.deliver('bad', [6, 7]);
    await system.untilQuiet();
    expect(await system.checkpoint('bad')).toMatchObject({ version: 2, wanted: 7, parked: { version: 3 } });
    expect(system.applied('bad')).toEqual([1, 2]);
  });

  it('does not lose its pause to other deliveries of the stream', async () => {
    const tries: number[] = [];
    const system = new System({
      concurrency: 1,
      batchSize: 1,
      react: (input) => {
        if (isPoison(input)) tries.push(input.context.attempt);
        return failing()(input);
      },
    });
    await system.append('bad', [5]);
    await system.deliver('bad', [3, 3, 4, 5, 3, 4, 5, 5, 5, 5]);
    await system.untilQuiet();
    expect(tries).toEqual([1, 2, 3]);
    expect(system.metrics.total('StreamsDeferred')).toBeGreaterThan(4);
  });

  it('is skipped when the consumer wants that, and counted in the digest as skipped', async () => {
    const system = new System({ react: failing(), declaration: { onPoison: 'skip', maxAttempts: 1 } });
    await system.append('bad', [2, 3]);
    await system.deliver('bad', range(1, 5));
    await system.untilQuiet();
    await expectAllResolved(system, 'bad', 5);
    expect(system.applied('bad')).toEqual([1, 2, 4, 5]);
    const row = await system.deadLetters.get('inventory#1#3#bad');
    expect(row).toMatchObject({ status: 'skipped', passedAs: 'skipped', attempts: 1 });
  });

  it('stores what came before it, also when that was not stored yet', async () => {
    const system = new System({ react: failing(), declaration: { effects: 'idempotent', maxAttempts: 1 } });
    await system.append('bad', [5]);
    await system.deliver('bad', [5]);
    await system.untilQuiet();
    await expectSound(system, 'bad');
    expect(await system.checkpoint('bad')).toMatchObject({ version: 2, parked: { version: 3 } });
  });

  it('links its row to the row before it', async () => {
    const system = new System({
      declaration: { onPoison: 'skip', maxAttempts: 1 },
      react: ({ event }) => {
        if (event.metadata.version % 2 === 0) throw new Error('even');
        return undefined;
      },
    });
    await system.append('s', [6]);
    await system.deliver('s', [6]);
    await system.untilQuiet();
    expect((await system.checkpoint('s'))?.lastDeadLetter).toEqual({ generation: 1, version: 6 });
    const rows = await Promise.all([6, 4, 2].map((version) => system.deadLetters.get(`inventory#1#${version}#s`)));
    expect(rows.map((row) => row?.previous?.version)).toEqual([4, 2, undefined]);
  });

  it('shares its fingerprint with failures of the same cause', async () => {
    const system = new System({
      declaration: { maxAttempts: 1 },
      react: ({ event }) => {
        throw new Error(`item ${event.id} of "${event.streamId}": 0 left`);
      },
    });
    for (const stream of ['a', 'b']) {
      await system.append(stream, [1]);
      await system.deliver(stream, [1]);
    }
    await system.untilQuiet();
    const [a, b] = await Promise.all(['a', 'b'].map((stream) => system.deadLetters.get(`inventory#1#1#${stream}`)));
    expect(a?.fingerprint).toBe(b?.fingerprint);
  });
});

describe('a function that dies', () => {
  /** Version 40 of one stream of ten kills the process, wherever it runs. */
  const deadly: NonNullable<SystemOptions['react']> = async ({ event, process }) => {
    if (event.streamId === 's7' && event.metadata.version === 40) {
      process.kill();
      await new Promise(() => undefined);
    }
    return undefined;
  };

  it.each(['transactional', 'idempotent'] as const)(
    'in a batch of ten %s streams, in the middle of a catch-up: exactly the guilty event is blamed',
    async (effects) => {
      const system = new System({ declaration: { effects }, react: deadly, concurrency: 1, maxReceives: 8 });
      const streams = range(1, 10).map((n) => `s${n}`);
      for (const stream of streams) {
        await system.append(stream, [10, 40]);
        await system.deliver(stream, [50], { bodies: false });
      }
      await system.untilQuiet();
      for (const stream of streams.filter((one) => one !== 's7')) await expectAllResolved(system, stream, 50);
      await expectSound(system, 's7');
      expect(await system.checkpoint('s7')).toMatchObject({ version: 39, parked: { version: 40 } });
      expect(await system.deadLetters.get('inventory#1#40#s7')).toMatchObject({
        attempts: 3,
        error: { name: 'UncleanEnd' },
        status: 'parked',
      });
      expect(system.metrics.total('DeadLetters')).toBe(1);
      expect(system.queue.dead).toEqual([]);
      if (effects === 'transactional') expect(system.applied('s7')).toEqual(range(1, 39));
    },
  );

  it('less often than there are tries: nobody is blamed, and the stream leaves its quarantine', async () => {
    // The first death happens among others and counts for nobody.
    let kills = 3;
    const system = new System({
      concurrency: 1,
      settings: { chunkEvents: 5 },
      react: async ({ event, process }) => {
        if (event.metadata.version === 4 && kills > 0) {
          kills -= 1;
          process.kill();
          await new Promise(() => undefined);
        }
        return undefined;
      },
    });
    await system.append('s', [40]);
    await system.deliver('s', [40]);
    await system.untilQuiet();
    await expectAllResolved(system, 's', 40);
    expect(system.applied('s')).toEqual(range(1, 40));
    expect(system.metrics.total('StreamsAlone')).toBe(3);
    expect(system.metrics.total('DeadLetters')).toBe(0);
  });
});

describe('a function that dies after its react returned, of a promise that nobody awaits', () => {
  it.each([0, 2, 10, 30, 50])('%d ms later: nobody else is blamed', async (ms) => {
    let deaths = 0;
    const system = new System({
      jitterMs: 10,
      concurrency: 1,
      maxReceives: 8,
      react: ({ event, process, time }) => {
        if (event.streamId !== 's3' || event.metadata.version !== 12) return undefined;
        void time.world.timers.sleep(ms).then(() => {
          deaths += 1;
          process.kill();
        });
        return undefined;
      },
    });
    const streams = range(1, 5).map((n) => `s${n}`);
    for (const stream of streams) {
      await system.append(stream, [10, 10]);
      await system.deliver(stream, [20], { bodies: false });
    }
    await system.untilQuiet();
    for (const stream of streams.filter((one) => one !== 's3')) await expectAllResolved(system, stream, 20);
    expect(deaths).toBeGreaterThan(0);
    const guilty = await system.deadLetters.get('inventory#1#12#s3');
    expect(system.metrics.total('DeadLetters')).toBe(guilty === undefined ? 0 : 1);
    if (guilty === undefined) await expectAllResolved(system, 's3', 20);
    else expect(await system.checkpoint('s3')).toMatchObject({ version: 11, parked: { version: 12 } });
    expect(system.queue.dead).toEqual([]);
  });
});

describe('a react that overflows the stack', () => {
  it('is a failed try like any other: the function lives, the event is blamed by its name', async () => {
    const endless = (depth: number): number => endless(depth + 1) + 1;
    const system = new System({
      react: (input) => {
        if (isPoison(input)) endless(0);
        return undefined;
      },
    });
    for (const stream of ['bad', 'good']) {
      await system.append(stream, [5]);
      await system.deliver(stream, [5]);
    }
    await system.untilQuiet();
    expect(await system.deadLetters.get('inventory#1#3#bad')).toMatchObject({
      attempts: 3,
      error: { name: 'RangeError', stack: expect.stringContaining('endless') },
    });
    await expectAllResolved(system, 'good', 5);
    expect(system.metrics.total('DeadLetters')).toBe(1);
    expect(system.metrics.total('StreamsAlone')).toBe(0);
  });
});

describe('a react that does not end', () => {
  const hanging =
    (isSlow: (input: ReactInput) => boolean, ms = 60_000): NonNullable<SystemOptions['react']> =>
    async (input) => {
      if (isSlow(input)) await input.time.world.timers.sleep(ms, input.context.signal);
      return undefined;
    };

  it('is told to abort in time, tried again, and blamed', async () => {
    const system = new System({ concurrency: 1, react: hanging(isPoison) });
    await system.append('bad', [5]);
    await system.deliver('bad', [5]);
    await system.untilQuiet();
    await expectSound(system, 'bad');
    expect(await system.checkpoint('bad')).toMatchObject({ version: 2, parked: { version: 3 } });
    expect(await system.deadLetters.get('inventory#1#3#bad')).toMatchObject({
      error: { name: 'DeadlineError' },
      attempts: 3,
    });
    expect(system.violations).toEqual([]);
  });

  it('is waited for no longer when it ignores the signal', async () => {
    const system = new System({
      concurrency: 1,
      react: (input) => (isPoison(input) ? new Promise(() => undefined) : undefined),
    });
    await system.append('bad', [5]);
    await system.deliver('bad', [5]);
    await system.untilQuiet();
    expect(await system.checkpoint('bad')).toMatchObject({ parked: { version: 3 } });
    expect(await system.checkpoint('bad')).not.toHaveProperty('lease');
  });

  it('is not to blame when others used up the time', async () => {
    const system = new System({ concurrency: 1, batchSize: 20, react: hanging(() => true, 3_000) });
    for (const n of range(1, 12)) {
      await system.append(`s${n}`, [2]);
      await system.deliver(`s${n}`, [2]);
    }
    await system.untilQuiet();
    for (const n of range(1, 12)) await expectAllResolved(system, `s${n}`, 2);
    expect(system.metrics.total('DeadLetters')).toBe(0);
    expect(system.metrics.total('ReactFailures')).toBe(0);
    expect(system.metrics.total('ReactDeadlines')).toBeGreaterThan(0);
  });

  it('begins the next invocation when it did not get its time in this one', async () => {
    const durations = [3_000, 7_000];
    const system = new System({ settings: { precedenceHops: 2 } });
    await system.append('s', [2]);
    await system.deliver('s', [2]);
    const received = system.queue.receive(1, () => 0);
    const engine = system.engine(system.startProcess(), {
      react: async (event, { signal }) => {
        await system.time.world.timers.sleep(durations[event.metadata.version - 1] as number, signal);
        return [];
      },
    });
    const endsAt = system.time.now() + 10_000;
    await system.time.run(
      engine.handleBatch(received, { remainingMs: () => endsAt - system.time.now(), requestId: 'r' }),
    );
    expect(system.queue.sent.at(-1)).toMatchObject({ reason: 'continue', hops: 2 });
    expect(await system.checkpoint('s')).toMatchObject({ version: 1 });
    expect(await system.checkpoint('s')).not.toHaveProperty('attempting');
  });

  it.each([0, 1, -1])('begins nothing with %d ms left: the messages come back', async (remainingMs) => {
    const system = new System();
    await system.append('s', [1]);
    const message = { messageId: 'm', receiveCount: 1, body: await system.delivery('s', 1) };
    const engine = system.engine(system.startProcess());
    const work = engine.handleBatch([message], { remainingMs: () => remainingMs, requestId: 'r' });
    expect(await system.time.run(work)).toEqual({ failedMessageIds: ['m'] });
    expect(await system.checkpoint('s')).toBeUndefined();
  });
});

describe('writes that can never be committed', () => {
  const put = (n: number): Write => ({ Put: { TableName: 'Effects', Item: { pk: `own-${n}` } } });
  const returning =
    (writes: unknown): SystemOptions['react'] =>
    () =>
      writes as Write[];

  it.each<[string, unknown, string]>([
    ['too many', range(1, WRITES_PER_EVENT).map(put), 'TOO_MANY_WRITES'],
    ['to a table of ours', [{ Delete: { TableName: 'Checkpoints', Key: { pk: 'x', sk: 'y' } } }], 'WRITE_TO_OWN_TABLE'],
    [
      'to a table of ours, by its ARN',
      [{ Put: { TableName: 'arn:aws:dynamodb:eu-west-1:1:table/Events', Item: {} } }],
      'WRITE_TO_OWN_TABLE',
    ],
    ['twice to one item', [put(1), put(1)], 'ValidationException'],
    [
      'that no item can hold',
      [{ Put: { TableName: 'Effects', Item: { pk: 'x', when: new Date(0) } } }],
      'INVALID_WRITES',
    ],
    ['of no kind', [{ Upsert: {} }], 'INVALID_WRITES'],
  ])('%s: a dead letter at once, with a code', async (_, writes, code) => {
    const system = new System({ react: returning(writes) });
    await system.append('s', [2]);
    await system.deliver('s', [2]);
    await system.untilQuiet();
    expect(await system.deadLetters.get('inventory#1#1#s')).toMatchObject({ error: { name: code }, attempts: 1 });
    expect(await system.checkpoint('s')).toMatchObject({ version: 0, parked: { version: 1 } });
    expect(system.applied('s')).toEqual([]);
  });

  it('fit when they are as many as are allowed', async () => {
    // One of them is the standard effect.
    const system = new System({ react: returning(range(2, WRITES_PER_EVENT).map(put)) });
    await system.append('s', [1]);
    await system.deliver('s', [1]);
    await system.untilQuiet();
    await expectAllResolved(system, 's', 1);
  });

  it('by an idempotent consumer are refused, not dropped', async () => {
    const system = new System({ declaration: { effects: 'idempotent' } });
    const engine = createIdempotent(system, [put(1)]);
    await system.append('s', [1]);
    const message = { messageId: 'm', receiveCount: 1, body: await system.delivery('s', 1) };
    await system.time.run(engine.handleBatch([message], { remainingMs: () => 10_000, requestId: 'r' }));
    expect(await system.deadLetters.get('inventory#1#1#s')).toMatchObject({ error: { name: 'UNEXPECTED_WRITES' } });
  });

  it('because of their own condition count as failed tries', async () => {
    const mustExist: Write = {
      ConditionCheck: { TableName: 'Effects', Key: { pk: 'nothing' }, ConditionExpression: 'attribute_exists(pk)' },
    };
    const system = new System({ react: returning([mustExist]) });
    await system.append('s', [1]);
    await system.deliver('s', [1]);
    await system.untilQuiet();
    expect(await system.deadLetters.get('inventory#1#1#s')).toMatchObject({
      attempts: 3,
      error: { name: 'ConditionalCheckFailed' },
    });
  });

  it('of one event of a group fail alone: what came before is committed, what comes after waits', async () => {
    const system = new System({
      declaration: { groupCommits: true, maxAttempts: 1 },
      react: ({ event }) =>
        event.metadata.version === 3
          ? [
              {
                ConditionCheck: {
                  TableName: 'Effects',
                  Key: { pk: 'no' },
                  ConditionExpression: 'attribute_exists(pk)',
                },
              },
            ]
          : [],
    });
    await system.append('s', [5]);
    await system.deliver('s', [5]);
    await system.untilQuiet();
    await expectSound(system, 's');
    expect(system.applied('s')).toEqual([1, 2]);
    expect(await system.checkpoint('s')).toMatchObject({ version: 2, parked: { version: 3 } });
  });

  it('of one event of a group: what was reacted to after it is not forgotten when it is skipped', async () => {
    const system = new System({
      declaration: { groupCommits: true, maxAttempts: 1, onPoison: 'skip' },
      settings: { chunkEvents: 5 },
      react: ({ event }) =>
        event.metadata.version === 3
          ? [
              {
                ConditionCheck: {
                  TableName: 'Effects',
                  Key: { pk: 'no' },
                  ConditionExpression: 'attribute_exists(pk)',
                },
              },
            ]
          : [],
    });
    await system.append('s', [9]);
    await system.deliver('s', [9]);
    await system.untilQuiet();
    await expectAllResolved(system, 's', 9);
    expect(system.applied('s')).toEqual([1, 2, 4, 5, 6, 7, 8, 9]);
  });

  function createIdempotent(system: System, writes: readonly Write[]) {
    return system.engine(system.startProcess(), { react: () => writes });
  }
});
