// Random schedules of traffic, lost deliveries, failures, replays of every mode, pauses, cancels and crashes of the worker. After every step
// each stream is a contiguous, proved prefix; at the end, when everything is delivered, every event has had its effect at
// least once, and at most once per generation and replay.

import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Bench, createBench } from './support.ts';

const STREAMS = ['order-1', 'order-2', 'order-3'];

type Step =
  | { kind: 'append'; stream: number; isLost: boolean; isPaid: boolean }
  | { kind: 'replay'; mode: 'resume' | 'rewind' | 'redeliver'; stream: number; ms: number; suppressEffects: boolean }
  | { kind: 'dies'; mode: 'rewind' | 'redeliver'; sends: number }
  | { kind: 'change'; action: 'pause' | 'resume' | 'cancel' }
  | { kind: 'poison'; stream: number; isFixed: boolean }
  | { kind: 'schedule' };

const stream = fc.nat(2);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('append' as const), stream, isLost: fc.boolean(), isPaid: fc.boolean() }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('replay' as const),
      mode: fc.constantFrom('resume', 'rewind', 'redeliver'),
      stream: fc.nat(3),
      ms: fc.constantFrom(5_001, 6_000, 60_000),
      suppressEffects: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('dies' as const),
      mode: fc.constantFrom('rewind', 'redeliver'),
      sends: fc.nat(2),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('change' as const),
      action: fc.constantFrom('pause', 'resume', 'cancel'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('poison' as const), stream, isFixed: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('schedule' as const) }) },
);

async function run(bench: Bench, one: Step): Promise<void> {
  const { system } = bench;
  if (one.kind === 'append') {
    await system.append(STREAMS[one.stream] as string, [one.isPaid ? 'Paid' : 'Placed', 'Other']);
    await system.settle(() => one.isLost);
  }
  if (one.kind === 'poison') {
    const streamId = STREAMS[one.stream] as string;
    if (one.isFixed) bench.poison.clear();
    else bench.poison.add(`${streamId}@${(await system.eventStore.getVersion(streamId)) + 1}`);
  }
  if (one.kind === 'replay') {
    const { mode, ms } = one;
    const streamId = STREAMS[one.stream];
    const selection = streamId === undefined ? { everything: true } : { streamId };
    const start = { action: 'start', mode, consumer: 'inventory', selection, dryRun: false, ratePerSecond: 50 };
    const suppressEffects = mode !== 'redeliver' && one.suppressEffects;
    await bench.ask({ ...start, suppressEffects, maxFailureRate: 1 }, ms).catch(isRunning);
  }
  if (one.kind === 'dies') {
    const { send } = bench.deps.wakeUps;
    let left = one.sends;
    bench.deps.wakeUps = {
      send: (url, messages) => (left-- > 0 ? send(url, messages) : Promise.reject(new Error('died'))),
    };
    await bench.go({ mode: one.mode }).catch(() => undefined);
    bench.deps.wakeUps = { send };
  }
  if (one.kind === 'change') {
    const { replays = [] } = await bench.ask({ action: 'status' });
    for (const { id } of replays) await bench.ask({ action: one.action, replayId: id }, 6_000);
  }
  if (one.kind === 'schedule') await bench.finish();
}

const isRunning = (error: { code?: string }): void => expect(error.code).toBe('REPLAY_RUNNING');

/** As a redrive does: a rewind takes only streams with it that have something to go back over. */
async function unpark({ system }: Bench): Promise<void> {
  for (const streamId of STREAMS) {
    const checkpoint = await system.checkpoint('inventory', streamId);
    if (checkpoint?.parked === undefined) continue;
    const { deadLetterId } = checkpoint.parked;
    await system.dynamo.transactWrite({ TransactItems: [system.checkpoints.unparkWrite(checkpoint, deadLetterId, 0)] });
  }
}

/** At most once for each of: the normal way, and each replay. */
function expectSingle(bench: Bench): void {
  const keys = bench.done.map(({ at, replay }) => `${at} ${replay?.id ?? 'live'}`);
  expect(keys.toSorted()).toEqual([...new Set(keys)].toSorted());
}

it('any schedule of replays leaves proved prefixes, single effects per replay, and in the end everything delivered', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 12 }), async (steps) => {
      const bench = await createBench();
      for (const one of steps) {
        await run(bench, one);
        for (let round = 0; round < 2; round += 1) await bench.system.settle();
        expectSingle(bench);
      }
      bench.poison.clear();
      const { replays = [] } = await bench.ask({ action: 'status' });
      for (const { id } of replays) await bench.ask({ action: 'cancel', replayId: id });
      await unpark(bench);
      for (let round = 0; round < 3; round += 1) {
        await bench.go({ mode: 'rewind', maxFailureRate: 1 });
        await bench.finish();
        await bench.go({ mode: 'resume', maxFailureRate: 1 });
        await bench.finish();
      }
      expectSingle(bench);
      const seen = new Set(bench.done.map(({ at }) => at));
      for (const streamId of STREAMS) {
        const head = await bench.system.eventStore.getVersion(streamId);
        for (let version = 1; version <= head; version += 2) expect(seen).toContain(`${streamId}@${version}`);
      }
      await bench.expectProved({ parked: 0, waiting: 0 });
    }),
    { numRuns: 60 },
  );
});
