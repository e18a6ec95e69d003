// Dying in the middle of something: the nth request does not happen, or its answer is lost, and whatever the dead still tries
// does not happen either.

import type { Dynamo } from '../../lib/platform/dynamodb/port.ts';

class Died extends Error {}

export type Death = ReturnType<typeof createDeath>;

/** Counts requests while it is armed and dies at the nth. */
export function createDeath() {
  let left = 0;
  let when: 'before' | 'after' = 'before';
  return {
    arm(nth: number, at: 'before' | 'after'): void {
      left = nth;
      when = at;
    },
    /** True: it was never reached. */
    disarm(): boolean {
      const unused = left;
      left = 0;
      return unused > 0;
    },
    async around<T>(call: () => Promise<T>): Promise<T> {
      if (left < 0) throw new Died();
      if (left === 0 || --left > 0) return call();
      left = -1;
      if (when === 'after') await call();
      throw new Died();
    },
  };
}

/** Whose requests are counted. */
export const mortal = (dynamo: Dynamo, death: Death): Dynamo =>
  new Proxy(dynamo, {
    get: (target, name: keyof Dynamo) => (input: never) =>
      death.around(() => (target[name] as (input: never) => Promise<unknown>)(input)),
  });
