// Keeps reads to a budget per second, by waiting. What a request cost is known when it was answered, so the wait comes after
// it: over any longer time the average is the budget.

import type { World } from '../../platform/clock.ts';

export interface Pace {
  spent(units: number): void;
  /** Units since the beginning. */
  total(): number;
  /** Waits until the budget has caught up with what was spent, at most `maxMs`. */
  wait(maxMs: number): Promise<void>;
}

export function createPace(unitsPerSecond: number, { clock, timers }: Pick<World, 'clock' | 'timers'>): Pace {
  const startedAt = clock.now();
  let total = 0;
  return {
    spent(units) {
      total += units;
    },
    total: () => total,
    async wait(maxMs) {
      const aheadMs = startedAt + (total / unitsPerSecond) * 1_000 - clock.now();
      const pauseMs = Math.min(aheadMs, maxMs);
      if (pauseMs > 0) await timers.sleep(Math.ceil(pauseMs));
    },
  };
}
