// The simulation's own machinery: what it gets wrong, every verdict gets wrong.

import { describe, expect, it } from '@jest/globals';
import { asMacrotask } from './drain.ts';
import { createPrng } from './prng.ts';
import { createProcess } from './process.ts';
import { createScheduler, START_OF_TIME } from './scheduler.ts';
import { createTrace } from './trace.ts';

const FAR = START_OF_TIME + 1e12;
const run = { until: FAR, maxSteps: 10_000 };

describe('seeded randomness', () => {
  it('gives the same numbers for the same seed and purpose, and others for another purpose', () => {
    const draw = (seed: number, purpose: string) => {
      const prng = createPrng(seed, purpose);
      return Array.from({ length: 20 }, () => prng.next());
    };
    expect(draw(7, 'a')).toEqual(draw(7, 'a'));
    expect(draw(7, 'a')).not.toEqual(draw(7, 'b'));
    expect(draw(7, 'a')).not.toEqual(draw(8, 'a'));
    expect(draw(2 ** 40 + 7, 'a')).not.toEqual(draw(7, 'a'));
  });

  it('is even over its range and hits as often as the probability says', () => {
    const prng = createPrng(1, 'even');
    const counts = new Map<number, number>();
    for (let draw = 0; draw < 10_000; draw++) {
      const value = prng.int(0, 9);
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    expect([...counts.keys()].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(150);
    let opportunities = 0;
    for (let hit = 0; hit < 1_000; hit++) opportunities += prng.gap(0.05) + 1;
    expect(1_000 / opportunities).toBeCloseTo(0.05, 2);
    expect(prng.gap(0)).toBe(Number.POSITIVE_INFINITY);
    expect(prng.gap(1)).toBe(0);
  });

  it('shuffles without losing anything', () => {
    const values = Array.from({ length: 50 }, (_, index) => index);
    const shuffled = createPrng(3, 'shuffle').shuffle(values);
    expect(shuffled).not.toEqual(values);
    expect([...shuffled].sort((left, right) => left - right)).toEqual(values);
  });
});

describe('virtual time', () => {
  it('runs timers in order of time, equal times in order of creation, and drains microtasks in between', async () => {
    const seen: string[] = [];
    await asMacrotask((drain) => {
      const scheduler = createScheduler(drain);
      scheduler.after(20, () => seen.push('late'));
      scheduler.after(10, () => {
        seen.push('first');
        void Promise.resolve()
          .then(() => undefined)
          .then(() => seen.push('microtask of the first'));
      });
      scheduler.after(10, () => seen.push('second'));
      scheduler.after(15, () => seen.push('cancelled')).cancel();
      expect(scheduler.run(run)).toBe('idle');
      expect(scheduler.now()).toBe(START_OF_TIME + 20);
    });
    expect(seen).toEqual(['first', 'microtask of the first', 'second', 'late']);
  });

  it('stops when the time is up, when it is told to, and when there are too many steps', async () => {
    await asMacrotask((drain) => {
      const scheduler = createScheduler(drain);
      let ticks = 0;
      const tick = (): void => {
        ticks++;
        scheduler.after(1_000, tick);
      };
      tick();
      expect(scheduler.run({ until: START_OF_TIME + 5_500, maxSteps: 100 })).toBe('time-up');
      expect(scheduler.now()).toBe(START_OF_TIME + 5_500);
      expect(ticks).toBe(6);
      expect(scheduler.run({ until: FAR, maxSteps: 100, done: () => ticks === 8 })).toBe('done');
      expect(scheduler.run({ until: FAR, maxSteps: 10 })).toBe('too-many-steps');
    });
  });
});

describe('a simulated process', () => {
  it('sleeps in virtual time by a clock that is wrong', async () => {
    await asMacrotask((drain) => {
      const scheduler = createScheduler(drain);
      const process = createProcess(scheduler, { name: 'p', seed: 1, skewMs: -300_000 });
      let woken = 0;
      void process.world.timers.sleep(60_000).then(() => {
        woken = process.world.clock.now();
      });
      scheduler.run(run);
      expect(woken).toBe(START_OF_TIME + 60_000 - 300_000);
    });
  });

  it('never runs again after it was killed', async () => {
    await asMacrotask((drain) => {
      const scheduler = createScheduler(drain);
      const process = createProcess(scheduler, { name: 'p', seed: 1, skewMs: 0 });
      let ran = false;
      let told = 0;
      process.onKill(() => told++);
      void process.world.timers.sleep(100).then(() => {
        ran = true;
      });
      scheduler.after(50, () => process.kill());
      scheduler.after(60, () => process.kill());
      scheduler.run(run);
      expect({ ran, told, state: process.state }).toEqual({ ran: false, told: 1, state: 'dead' });
    });
  });

  it('continues after a pause with everything that arrived meanwhile, in order', async () => {
    await asMacrotask((drain) => {
      const scheduler = createScheduler(drain);
      const process = createProcess(scheduler, { name: 'p', seed: 1, skewMs: 0 });
      const seen: [string, number][] = [];
      const note = (what: string) => () => seen.push([what, scheduler.now() - START_OF_TIME]);
      process.deliver(START_OF_TIME + 10, note('a'));
      process.deliver(START_OF_TIME + 20, note('b'));
      process.deliver(START_OF_TIME + 500, note('c'));
      process.freeze();
      scheduler.after(100, () => process.thaw());
      scheduler.run(run);
      expect(seen).toEqual([
        ['a', 100],
        ['b', 100],
        ['c', 500],
      ]);
    });
  });

  it('lets an abort signal end a sleep', async () => {
    await asMacrotask((drain) => {
      const scheduler = createScheduler(drain);
      const process = createProcess(scheduler, { name: 'p', seed: 1, skewMs: 0 });
      const controller = new AbortController();
      let reason: unknown;
      process.world.timers.sleep(1e9, controller.signal).catch((error: unknown) => {
        reason = error;
      });
      scheduler.after(5, () => controller.abort('enough'));
      expect(scheduler.run(run)).toBe('idle');
      expect({ reason, now: scheduler.now() }).toEqual({ reason: 'enough', now: START_OF_TIME + 5 });
    });
  });
});

describe('the trace', () => {
  it('has another hash when one word, one time or the order differs', () => {
    const hashOf = (lines: readonly (readonly [number, string])[]): string => {
      let now = 0;
      const trace = createTrace(() => now, 0, false);
      for (const [at, what] of lines) {
        now = at;
        trace.note('actor', what);
      }
      return trace.hash();
    };
    const hashes = [
      [
        [1, 'a'],
        [2, 'b'],
      ],
      [
        [1, 'a'],
        [2, 'c'],
      ],
      [
        [1, 'a'],
        [3, 'b'],
      ],
      [
        [2, 'b'],
        [1, 'a'],
      ],
    ].map((lines) => hashOf(lines as [number, string][]));
    expect(new Set(hashes).size).toBe(4);
    expect(
      hashOf([
        [1, 'a'],
        [2, 'b'],
      ]),
    ).toBe(hashes[0]);
  });
});
