// A world for tests: the clock stands still until somebody moves it, sleeping moves it, random numbers are seeded, ids count.

import type { Clock, World } from '../../lib/platform/clock.ts';

export interface ManualClock extends Clock {
  advance(ms: number): void;
  set(ms: number): void;
}

export interface TestWorld extends World {
  clock: ManualClock;
  /** Every pause that was asked for, in order. */
  sleeps: number[];
}

export const TEST_START_MS = Date.UTC(2026, 0, 1);

export function createManualClock(startMs: number = TEST_START_MS): ManualClock {
  let nowMs = startMs;
  return {
    now: () => nowMs,
    advance: (ms) => {
      nowMs += ms;
    },
    set: (ms) => {
      nowMs = ms;
    },
  };
}

export function createTestWorld({ startMs, seed = 1 }: { startMs?: number; seed?: number } = {}): TestWorld {
  const clock = createManualClock(startMs);
  const sleeps: number[] = [];
  let ids = 0;
  return {
    clock,
    sleeps,
    timers: {
      async sleep(ms, signal) {
        signal?.throwIfAborted();
        sleeps.push(ms);
        clock.advance(ms);
      },
    },
    random: seededRandom(seed),
    ids: {
      next: () => {
        ids += 1;
        return `id-${ids}`;
      },
    },
  };
}

/** mulberry32: small, fast, good enough for jitter. */
export function seededRandom(seed: number): { next(): number } {
  let state = seed >>> 0;
  return {
    next() {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = state;
      t = Math.imul(t ^ (t >>> 15), t | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
    },
  };
}
