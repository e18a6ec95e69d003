// A `Dynamo` whose first answers get lost: the request takes effect, the caller sees a timeout and must find out.

import type { Dynamo } from '../../lib/platform/dynamodb/port.ts';

export const timeoutError = (): Error => Object.assign(new Error('socket timed out'), { name: 'TimeoutError' });

type Losing = Partial<Record<keyof Dynamo, number>>;

export interface LostResponseOptions {
  /** Cancelled transactions do not name their first write: AWS does not promise to name every failed condition. */
  hideFirstReason?: boolean;
}

/** @param between runs after the lost answer, before the caller hears of it */
export function lostResponse(
  dynamo: Dynamo,
  losing: Losing,
  between?: () => Promise<void>,
  { hideFirstReason = false }: LostResponseOptions = {},
): Dynamo {
  const left = { ...losing };
  const wrap =
    <Input, Output>(name: keyof Dynamo, call: (input: Input) => Promise<Output>) =>
    async (input: Input): Promise<Output> => {
      const loses = (left[name] ?? 0) > 0;
      try {
        const answer = await call(input);
        if (!loses) return answer;
      } catch (error) {
        throw hideFirstReason ? withoutFirstReason(error) : error;
      }
      left[name] = (left[name] ?? 0) - 1;
      await between?.();
      throw timeoutError();
    };
  return {
    get: wrap('get', dynamo.get),
    put: wrap('put', dynamo.put),
    update: wrap('update', dynamo.update),
    delete: wrap('delete', dynamo.delete),
    query: wrap('query', dynamo.query),
    scan: wrap('scan', dynamo.scan),
    batchGet: wrap('batchGet', dynamo.batchGet),
    batchWrite: wrap('batchWrite', dynamo.batchWrite),
    transactWrite: wrap('transactWrite', dynamo.transactWrite),
  };
}

function withoutFirstReason(error: unknown): unknown {
  const { CancellationReasons } = error as { CancellationReasons?: object[] };
  if (CancellationReasons !== undefined) CancellationReasons[0] = { Code: 'None' };
  return error;
}

/** A `Dynamo` before whose n-th update (from 1) something else happens: the race between a look and a write. */
export function interposed(dynamo: Dynamo, nth: number, action: () => Promise<unknown>): Dynamo {
  let updates = 0;
  return {
    ...dynamo,
    update: async (input) => {
      updates += 1;
      if (updates === nth) await action();
      return dynamo.update(input);
    },
  };
}
