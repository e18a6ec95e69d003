// Processes that sleep longer than their lease. The worst moment to wake up is just after somebody else took over: half of
// the sleepers are woken then, because chance alone would find that moment in one run of a thousand.

import type { Prng } from '../kernel/prng.ts';
import type { SimulatedProcess } from '../kernel/process.ts';
import type { Scheduler } from '../kernel/scheduler.ts';

export interface Sleepers {
  /** Freezes the process now and thaws it after `ms`, or soon after the next take-over. */
  add(process: SimulatedProcess, ms: number, details: Prng): void;
  /** Somebody took a lease over from a holder that did not give it back. */
  onTakeOver(): void;
}

/** A take-over and its first save are this far apart. */
const SOON_MS = 40;

/** `disturbed`: told when one wakes up, because what it does next is the work of a zombie. */
export function createSleepers(scheduler: Scheduler, disturbed: (process: SimulatedProcess) => void): Sleepers {
  let waiting: (() => void)[] = [];
  return {
    add: (process, ms, details) => {
      let isAsleep = true;
      const wake = (): void => {
        if (!isAsleep) return;
        isAsleep = false;
        disturbed(process);
        process.thaw();
      };
      process.freeze();
      scheduler.after(ms, wake);
      const soonMs = details.int(0, SOON_MS);
      if (details.chance(0.5)) waiting.push(() => scheduler.after(soonMs, wake));
    },
    onTakeOver: () => {
      const all = waiting;
      waiting = [];
      for (const wakeSoon of all) wakeSoon();
    },
  };
}
