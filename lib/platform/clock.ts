// Time, waiting, randomness and ids come in from the edge. Nothing below `lambdas/`, `local/` and `cli/` reads a global
// clock: the simulation replaces all four with virtual, seeded ones.

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
}

export interface Timers {
  /** Resolves after `ms`; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface Random {
  /** A number from 0 (included) to 1 (excluded). */
  next(): number;
}

export interface Ids {
  /** A new id that nobody else makes, for example a UUID. */
  next(): string;
}

/** Everything that makes a run different from another run of the same code. */
export interface World {
  clock: Clock;
  timers: Timers;
  random: Random;
  ids: Ids;
}
