// A simulated operating-system process: a clock that may be wrong, timers, randomness and ids of its own. Everything that
// reaches its code goes through `deliver`, so that a killed process never runs another step, and a frozen one (between two
// Lambda invocations, or a zombie that sleeps longer than its lease) continues later as if nothing had happened.

import type { World } from '../../../lib/platform/clock.ts';
import { createPrng } from './prng.ts';
import type { Scheduler, Timer } from './scheduler.ts';

export interface SimulatedProcess {
  readonly name: string;
  readonly world: World;
  readonly state: 'running' | 'frozen' | 'dead';
  /** How far its clock is from true time. */
  readonly skewMs: number;
  /** Nothing of this process ever runs again. What it has already sent may still arrive elsewhere. */
  kill(): void;
  /** Called once, when the process is killed. */
  onKill(react: () => void): void;
  /** Nothing reaches it until it is thawed; freezing twice needs thawing twice. */
  freeze(): void;
  /** What arrived meanwhile is delivered now, in order. */
  thaw(): void;
  /** Runs code of this process at a point of true time: never when dead, later when frozen. */
  deliver(time: number, run: () => void): Timer;
}

export function createProcess(
  scheduler: Scheduler,
  options: { name: string; seed: number; skewMs: number },
): SimulatedProcess {
  const { name, seed, skewMs } = options;
  const killReactions: (() => void)[] = [];
  let arrived: (() => void)[] = [];
  let dead = false;
  let frozen = 0;
  let idsMade = 0;

  const deliver = (time: number, run: () => void): Timer => {
    let cancelled = false;
    const arrive = (): void => {
      if (dead || cancelled) return;
      if (frozen > 0) arrived.push(arrive);
      else run();
    };
    const timer = scheduler.at(time, arrive);
    return {
      cancel: () => {
        cancelled = true;
        timer.cancel();
      },
    };
  };

  const sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise<void>((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = (): void => {
        timer.cancel();
        reject(signal?.reason);
      };
      const timer = deliver(scheduler.now() + Math.max(0, ms), () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });

  return {
    name,
    skewMs,
    world: {
      clock: { now: () => scheduler.now() + skewMs },
      timers: { sleep },
      random: createPrng(seed, `process/${name}`),
      ids: { next: () => `${name}-${++idsMade}` },
    },
    get state() {
      if (dead) return 'dead';
      return frozen > 0 ? 'frozen' : 'running';
    },
    kill: () => {
      if (dead) return;
      dead = true;
      arrived = [];
      for (const react of killReactions) react();
    },
    onKill: (react) => {
      killReactions.push(react);
    },
    freeze: () => {
      frozen++;
    },
    thaw: () => {
      if (frozen === 0 || --frozen > 0) return;
      const waiting = arrived;
      arrived = [];
      for (const arrive of waiting) scheduler.at(scheduler.now(), arrive);
    },
    deliver,
  };
}
