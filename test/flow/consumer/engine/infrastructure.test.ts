// Failures of what is around a consumer: damaged streams, DynamoDB that refuses, queues that cannot be sent to, workers
// with wrong clocks, a missing registration. Each is its own stream's failure, and none of them costs a message.

import { describe, expect, it } from '@jest/globals';
import type { RegistrationFacts } from '../../../../lib/flow/consumer/engine-port.ts';
import type { Position } from '../../../../lib/model/ids.ts';
import { expectAllResolved, expectSound } from './checks.ts';
import { OTHER_TYPE, range, System, TYPE } from './system.ts';

const MINUTES = 60_000;

describe('a damaged stream', () => {
  it.each<[string, (system: System) => void, object]>([
    [
      'with a missing commit',
      (system) => system.dynamo.removeItem('Events', { streamId: 'bad', version: 3 }),
      { kind: 'missing-commit', version: 3 },
    ],
    [
      'with changed bytes',
      (system) => {
        const item = system.dynamo.items('Events').find(({ streamId, version }) => streamId === 'bad' && version === 3);
        system.dynamo.replaceItem('Events', { ...item, events: '[]' });
      },
      { kind: 'hash-mismatch', version: 3 },
    ],
    [
      'that ends before what was announced',
      (system) => system.dynamo.removeItem('Events', { streamId: 'bad', version: 4 }),
      { kind: 'truncated-stream', version: 4 },
    ],
  ])('%s is an incident; what comes before is resolved, other streams go on', async (_, damage, incident) => {
    const system = new System({ concurrency: 1, maxReceives: 2, declaration: { effects: 'idempotent' } });
    for (const stream of ['bad', 'good']) await system.append(stream, [2, 1, 1]);
    damage(system);
    system.wakeUp('bad', 4);
    await system.deliver('good', [4], { bodies: false });
    await system.untilQuiet();
    await expectAllResolvedButDead(system, 'good', 4);
    const { version } = incident as { version: number };
    expect(await system.checkpoint('bad')).toMatchObject({ version: version - 1 });
    expect(await system.checkpoint('bad')).not.toHaveProperty('lease');
    expect(system.incidents[0]).toMatchObject({ streamId: 'bad', foundBy: 'consumer inventory', ...incident });
    expect(system.queue.dead.map(({ body }) => body.streamId)).toEqual(['bad']);
    expect(system.metrics.total('ReactFailures')).toBe(0);
  });

  async function expectAllResolvedButDead(system: System, stream: string, count: number): Promise<void> {
    await expectSound(system, stream);
    expect((await system.checkpoint(stream))?.version).toBe(count);
  }
});

describe('DynamoDB out of reach', () => {
  it('for minutes: messages come back, nobody is blamed, nothing is lost', async () => {
    const system = new System({
      concurrency: 2,
      plan: { at: () => (system.time.now() < outageEnds ? 'throw-before' : undefined) },
    });
    await system.append('s', [1, 2, 3]);
    const outageEnds = system.time.now() + 5 * MINUTES;
    await system.deliver('s', range(1, 6));
    await system.untilQuiet();
    await expectAllResolved(system, 's', 6);
    expect(system.applied('s')).toEqual(range(1, 6));
    expect(system.metrics.total('ReactFailures')).toBe(0);
  });

  it('for a while in the middle of work under suspicion: the tries are taken back', async () => {
    let kills = 1;
    let outage = false;
    const system = new System({
      concurrency: 1,
      declaration: { maxAttempts: 2 },
      plan: { at: (_, what) => (outage && what === 'transactWrite' ? 'throw-before' : undefined) },
      react: async ({ process, context }) => {
        if (kills > 0) {
          kills -= 1;
          process.kill();
          await new Promise(() => undefined);
        }
        // Alone from now on: each of these would be a last try.
        outage = system.interruptions < 2 && invocations++ < 4;
        expect(context.attempt).toBe(1);
        return undefined;
      },
    });
    let invocations = 0;
    await system.append('s', [2]);
    await system.deliver('s', [2]);
    await system.untilQuiet();
    await expectAllResolved(system, 's', 2);
    expect(invocations).toBeGreaterThan(4);
    expect(system.metrics.total('DeadLetters')).toBe(0);
  });
});

describe('a wake-up that cannot be sent', () => {
  it('makes the message come back instead', async () => {
    let sends = 0;
    let tries = 0;
    const system = new System({
      concurrency: 1,
      plan: {
        at: (_, what) => {
          if (what !== 'send') return undefined;
          sends += 1;
          return sends === 1 ? 'throw-before' : undefined;
        },
      },
      react: () => {
        tries += 1;
        if (tries < 3) throw new Error('not yet');
        return undefined;
      },
    });
    await system.append('s', [1]);
    await system.deliver('s', [1]);
    await system.untilQuiet();
    await expectAllResolved(system, 's', 1);
    expect(sends).toBe(2);
  });
});

describe('workers whose clocks are wrong', () => {
  it('never apply an effect twice, whatever they believe about leases', async () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const system = new System({
        seed,
        skewMs: 5 * MINUTES,
        concurrency: 4,
        batchSize: 1,
        jitterMs: 200,
        maxReceives: 60,
      });
      await system.append('s', [3, 1, 2, 2]);
      await system.deliver('s', range(1, 8));
      await system.untilQuiet();
      expect(system.applied('s')).toEqual(range(1, 8));
      expect(await system.checkpoint('s')).toMatchObject({ version: 8 });
    }
  });
});

describe('a registration', () => {
  const one = async (system: System, stream: string, version: number) => [
    { messageId: 'm', receiveCount: 1, body: await system.delivery(stream, version) },
  ];
  const invocation = { remainingMs: () => 10_000, requestId: 'r' };

  it('that is missing makes every message come back', async () => {
    const system = new System();
    await system.append('s', [1]);
    const registration = async () => {
      throw new Error('not registered');
    };
    const engine = system.engine(system.startProcess(), { registration });
    const result = await system.time.run(engine.handleBatch(await one(system, 's', 1), invocation));
    expect(result).toEqual({ failedMessageIds: ['m'] });
    expect(await system.checkpoint('s')).toBeUndefined();
  });

  it('that is older than the code is asked for again before an event passes unseen', async () => {
    const system = new System({ declaration: { eventTypes: [TYPE, OTHER_TYPE] } });
    await system.append('s', [1], () => OTHER_TYPE);
    const facts = (types: object): RegistrationFacts => ({
      startFrom: 'beginning',
      startPosition: 0 as Position,
      eventTypes: types as RegistrationFacts['eventTypes'],
    });
    const asked: boolean[] = [];
    const registration = async ({ fresh }: { fresh: boolean }) => {
      asked.push(fresh);
      return facts(fresh ? { [TYPE]: 0, [OTHER_TYPE]: 0 } : { [TYPE]: 0 });
    };
    const engine = system.engine(system.startProcess(), { registration });
    await system.time.run(engine.handleBatch(await one(system, 's', 1), invocation));
    expect(system.applied('s')).toEqual([1]);
    expect(asked).toContain(true);
  });

  describe('that knows a type which this code does not', () => {
    const AT_WORK = 60_000;
    /** One event of the other type, met by code that does not declare it. */
    async function meet(known: (now: number) => Partial<RegistrationFacts>) {
      const system = new System();
      await system.append('s', [1], () => OTHER_TYPE);
      const now = system.time.world.clock.now();
      const before = {
        startFrom: 'beginning',
        startPosition: 0 as Position,
        eventTypes: { [TYPE]: 0 } as never,
      } as const;
      const registration = async ({ fresh }: { fresh: boolean }) => ({ ...before, ...(fresh && known(now)) });
      const engine = system.engine(system.startProcess(), { registration });
      const result = await system.time.run(engine.handleBatch(await one(system, 's', 1), invocation));
      return { failed: result.failedMessageIds, version: (await system.checkpoint('s'))?.version };
    }
    const bothTypes = { [TYPE]: 0, [OTHER_TYPE]: 5 } as never;

    it('since a moment ago makes its events come back, to the new code', async () => {
      expect(await meet((now) => ({ eventTypes: bothTypes, updatedAt: now - AT_WORK }))).toEqual({
        failed: ['m'],
        version: 0,
      });
    });

    it('does so also when an event behind it fails and what came before is stored with the failure', async () => {
      const system = new System({ declaration: { effects: 'idempotent', maxAttempts: 1 } });
      await system.append('s', [1], () => OTHER_TYPE);
      await system.append('s', [1]);
      const now = system.time.world.clock.now();
      const registration = async ({ fresh }: { fresh: boolean }) => ({
        startFrom: 'beginning' as const,
        startPosition: 0 as Position,
        eventTypes: (fresh ? bothTypes : { [TYPE]: 0 }) as never,
        updatedAt: now,
      });
      const react = () => {
        throw new Error('no');
      };
      const engine = system.engine(system.startProcess(), { registration, react });
      const result = await system.time.run(engine.handleBatch(await one(system, 's', 2), invocation));
      expect(result.failedMessageIds).toEqual(['m']);
      expect(await system.checkpoint('s')).toMatchObject({ version: 0 });
      expect(await system.checkpoint('s')).not.toHaveProperty('parked');
    });

    it('soon, as it has announced, makes them come back too', async () => {
      expect(await meet(() => ({ announced: [OTHER_TYPE as never] }))).toEqual({ failed: ['m'], version: 0 });
    });

    it('for long means that this code is the newer one, which does not want it any more', async () => {
      expect(await meet((now) => ({ eventTypes: bothTypes, updatedAt: now - 3_600_000 }))).toEqual({
        failed: [],
        version: 1,
      });
    });
  });
});

describe('a marker that a newer holder took over', () => {
  it.each(['begin', 'complete'] as const)('at its %s ends the work at once', async (when) => {
    const system = new System({ declaration: { effects: 'idempotent' } });
    await system.append('s', [3]);
    const reacted: number[] = [];
    const engine = system.engine(system.startProcess(), {
      react: (event) => {
        reacted.push(event.metadata.version);
        return undefined;
      },
      markers: {
        begin: async () => (when === 'begin' ? { kind: 'held-by-higher-token', token: 9 } : { kind: 'begun' }),
        complete: async () => false,
        abandon: async () => undefined,
        completedWrite: () => ({}),
      },
    });
    const message = { messageId: 'm', receiveCount: 1, body: await system.delivery('s', 3) };
    const work = engine.handleBatch([message], { remainingMs: () => 10_000, requestId: 'r' });
    expect(await system.time.run(work)).toEqual({ failedMessageIds: ['m'] });
    expect(reacted).toEqual(when === 'begin' ? [] : [1]);
    expect(await system.checkpoint('s')).toMatchObject({ version: 0 });
  });
});

describe('what is delivered', () => {
  it('is not believed when it contradicts itself: the store decides', async () => {
    const system = new System({ concurrency: 1 });
    await system.append('s', [2]);
    const [first, second] = [await system.delivery('s', 1), await system.delivery('s', 2)];
    if (second.delivered === undefined) throw new Error('no body');
    system.queue.send(first);
    system.queue.send({ ...second, delivered: { ...second.delivered, commitHash: 'f'.repeat(64) } });
    await system.untilQuiet();
    await expectAllResolved(system, 's', 2);
    expect(system.metrics.total('StoreReads')).toBe(1);
  });
});
