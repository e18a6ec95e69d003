// Virtual time for engine tests: everything that waits is in one list, and when no code can run any more, time jumps to the
// next entry. A test of an hour takes milliseconds, and the same seed gives the same order.

import type { World } from '../../../../lib/platform/clock.ts';
import { seededRandom, TEST_START_MS } from '../../../support/world.ts';

interface Sleeper {
  at: number;
  order: number;
  wake(): void;
}

export interface VirtualTime {
  world: World;
  now(): number;
  /** Runs until the promise settles; everything else that waits goes on meanwhile. */
  run<Result>(work: Promise<Result>): Promise<Result>;
}

export function createVirtualTime(seed = 1): VirtualTime {
  let nowMs = TEST_START_MS;
  let order = 0;
  let ids = 0;
  const sleepers: Sleeper[] = [];
  const now = () => nowMs;

  const sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      order += 1;
      const onAbort = () => {
        sleepers.splice(sleepers.indexOf(sleeper), 1);
        reject(signal?.reason);
      };
      const sleeper: Sleeper = {
        at: nowMs + Math.max(0, ms),
        order,
        wake: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      sleepers.push(sleeper);
    });

  const nextSleeper = (): Sleeper | undefined => {
    const first = sleepers.reduce<Sleeper | undefined>(
      (a, b) => (a === undefined || b.at < a.at || (b.at === a.at && b.order < a.order) ? b : a),
      undefined,
    );
    if (first !== undefined) sleepers.splice(sleepers.indexOf(first), 1);
    return first;
  };

  return {
    now,
    world: {
      clock: { now },
      timers: { sleep },
      random: seededRandom(seed),
      ids: {
        next: () => {
          ids += 1;
          return `id-${ids}`;
        },
      },
    },
    async run(work) {
      let settled = false;
      const end = () => {
        settled = true;
      };
      work.then(end, end);
      for (;;) {
        await new Promise((resolve) => setImmediate(resolve));
        if (settled) return work;
        const sleeper = nextSleeper();
        if (sleeper === undefined) throw new Error('nothing runs, nothing waits, and the work is not done');
        nowMs = Math.max(nowMs, sleeper.at);
        sleeper.wake();
      }
    },
  };
}
