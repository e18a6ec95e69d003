// A fault at every await: for small scenarios, each request of each function crashes before or after it took effect, times
// out before or after it took effect, or stands still for longer than the lease, one at a time, all of them.

import { describe, expect, it } from '@jest/globals';
import type { ConsumerDeclaration } from '../../../../lib/model/consumer.ts';
import { streamId, type Version } from '../../../../lib/model/ids.ts';
import { expectAllResolved } from './checks.ts';
import { FAULT_KINDS, type FaultKind, type FaultPlan } from './process.ts';
import { range, System, type SystemOptions, TYPE } from './system.ts';

interface Scenario {
  name: string;
  declaration?: Partial<ConsumerDeclaration>;
  options?: () => Partial<SystemOptions>;
  play(system: System): Promise<void>;
  check(system: System): Promise<void>;
}

const once = (request: number, kind: FaultKind): FaultPlan => ({ at: (n) => (n === request ? kind : undefined) });

/** Effects of an idempotent consumer: each at least once, first times in order, one repetition for one fault at most. */
const expectAtLeastOnce = (system: System, stream: string, versions: number[]) => {
  const seen = system.effects.filter((effect) => effect.streamId === stream).map(({ version }) => version);
  expect([...new Set(seen)]).toEqual(versions);
  expect(seen.length).toBeLessThanOrEqual(versions.length + 1);
};

const failsUntilAttempt = (version: number, attempt: number) => ({
  react: ({ event, context }: Parameters<NonNullable<SystemOptions['react']>>[0]) => {
    if (event.metadata.version === version && context.attempt < attempt) throw new Error('not yet');
    return undefined;
  },
});

const scenarios: Scenario[] = [
  {
    name: 'a transactional consumer catches up',
    play: async (system) => {
      await system.append('s', [2, 1, 1]);
      await system.deliver('s', [1, 2, 4, 3]);
      await system.untilQuiet();
    },
    check: async (system) => {
      await expectAllResolved(system, 's', 4);
      expect(system.applied('s')).toEqual(range(1, 4));
    },
  },
  {
    name: 'an idempotent consumer catches up',
    declaration: { effects: 'idempotent' },
    play: async (system) => {
      await system.append('s', [2, 1]);
      await system.deliver('s', [3, 1, 2]);
      await system.untilQuiet();
    },
    check: async (system) => {
      await expectAllResolved(system, 's', 3);
      expectAtLeastOnce(system, 's', range(1, 3));
    },
  },
  {
    name: 'a group of commits',
    declaration: { groupCommits: true },
    play: async (system) => {
      await system.append('s', [3]);
      await system.deliver('s', [3, 1]);
      await system.untilQuiet();
    },
    check: async (system) => {
      await expectAllResolved(system, 's', 3);
      expect(system.applied('s')).toEqual(range(1, 3));
    },
  },
  {
    name: 'an event that fails twice',
    // A fault inside of react is a failed try of its own.
    declaration: { maxAttempts: 4 },
    options: () => failsUntilAttempt(2, 3),
    play: async (system) => {
      await system.append('s', [3]);
      await system.deliver('s', [1, 2, 3]);
      await system.untilQuiet();
    },
    check: async (system) => {
      await expectAllResolved(system, 's', 3);
      expect(system.applied('s')).toEqual(range(1, 3));
    },
  },
  {
    name: 'an event that always fails is parked, redriven after a fix, and resolved',
    options: () => {
      let isFixed = false;
      return {
        react: ({ event }) => {
          if (event.data === 'fix') isFixed = true;
          if (event.metadata.version === 2 && event.streamId === 's' && !isFixed) throw new Error('poison');
          return undefined;
        },
      };
    },
    play: async (system) => {
      await system.append('s', [3]);
      await system.deliver('s', [1, 2, 3]);
      await system.untilQuiet();
      const parked = (await system.checkpoint('s'))?.parked;
      expect(parked).toMatchObject({ version: 2, deadLetterId: 'inventory#1#2#s' });
      expect(await system.deadLetters.get('inventory#1#2#s')).toMatchObject({ status: 'parked', attempts: 3 });
      expect(system.applied('s')).toEqual([1]);
      await system.store.append('t', [{ id: 'f', type: TYPE, data: 'fix' }], 0);
      await system.deliver('t', [1]);
      await system.untilQuiet();
      await redrive(system, 's', 'inventory#1#2#s');
      await system.untilQuiet();
    },
    check: async (system) => {
      await expectAllResolved(system, 's', 3);
      expect(system.applied('s')).toEqual(range(1, 3));
      expect(await system.deadLetters.get('inventory#1#2#s')).toMatchObject({ status: 'resolved' });
    },
  },
  {
    name: 'an event that always fails is skipped',
    declaration: { onPoison: 'skip', effects: 'idempotent', maxAttempts: 2 },
    options: () => failsUntilAttempt(2, 99),
    play: async (system) => {
      await system.append('s', [3]);
      await system.deliver('s', [1, 2, 3]);
      await system.untilQuiet();
    },
    check: async (system) => {
      await expectAllResolved(system, 's', 3);
      expectAtLeastOnce(system, 's', [1, 3]);
      expect(await system.deadLetters.get('inventory#1#2#s')).toMatchObject({ status: 'skipped', passedAs: 'skipped' });
    },
  },
  {
    name: 'a rewind beside live traffic',
    play: async (system) => {
      await system.append('s', [1, 1, 1]);
      await system.deliver('s', [1, 2, 3]);
      await system.untilQuiet();
      await system.append('s', [1]);
      await system.deliver('s', [4]);
      await rewind(system, 's', 1);
      await system.untilQuiet();
    },
    check: async (system) => {
      await expectAllResolved(system, 's', 4);
      expect(await system.checkpoint('s')).toMatchObject({ generation: 2, generationStart: 1 });
      expect((await system.checkpoint('s'))?.replay).toBeUndefined();
      expect([system.applied('s', 'r1'), system.applied('s')].flat().sort()).toEqual([1, 2, 2, 3, 3, 4]);
    },
  },
  {
    name: 'a redelivery beside live traffic',
    play: async (system) => {
      await system.append('s', [1, 1, 1]);
      await system.deliver('s', [1, 2, 3]);
      await system.untilQuiet();
      await system.append('s', [1]);
      system.redeliver('s', [1, 3], 'again');
      await system.deliver('s', [4]);
      await system.untilQuiet();
    },
    check: async (system) => {
      await expectAllResolved(system, 's', 4);
      expect(system.applied('s')).toEqual(range(1, 4));
      expect(system.applied('s', 'again')).toEqual([1, 3]);
    },
  },
];

/** As a redrive does it: un-park and status in one transaction, then a wake-up. */
async function redrive(system: System, stream: string, id: string): Promise<void> {
  const key = { consumer: system.consumer, streamId: streamId(stream) };
  const now = system.time.now();
  await system.dynamo.transactWrite({
    TransactItems: [
      system.checkpoints.unparkWrite(key, id, now),
      system.deadLetters.statusWrite(id, ['parked'], 'redriving', now, { rounds: 1 }),
    ],
  });
  system.wakeUp(stream, 1, 'redrive');
}

async function rewind(system: System, stream: string, to: number): Promise<void> {
  const key = { consumer: system.consumer, streamId: streamId(stream) };
  const request = { to: to as Version, requestId: 'r1', requestedAt: system.time.now() };
  expect(await system.checkpoints.requestRewind(key, request)).toEqual({ kind: 'requested' });
  system.wakeUp(stream, 1, 'rewind');
}

async function run({ declaration, options, play, check }: Scenario, plan: FaultPlan | undefined): Promise<System> {
  const system = new System({ declaration, plan, batchSize: 2, concurrency: 2, jitterMs: 10, ...options?.() });
  await play(system);
  await check(system);
  return system;
}

describe.each(scenarios)('$name', (scenario) => {
  it.each(FAULT_KINDS)('with one %s at every request', async (kind) => {
    const { requests } = (await run(scenario, undefined)).log;
    expect(requests).toBeGreaterThan(5);
    for (let request = 1; request <= requests; request += 1) {
      try {
        const { log } = await run(scenario, once(request, kind));
        expect(log.faults).toHaveLength(1);
      } catch (error) {
        throw new Error(`${kind} at request ${request} of ${requests}`, { cause: error });
      }
    }
  });
});
