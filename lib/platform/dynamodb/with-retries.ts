// A `Dynamo` that tries again what was surely not carried out: throttles and conflicts between transactions. The SDK retries
// lost connections itself, but it passes TransactionConflict and cancelled transactions on. What MAY have been carried out is
// not repeated here; stores recognise it by their own conditions.

import type { World } from '../clock.ts';
import { isThrottle, type RetryOptions, retry, SHORT_RETRIES } from '../retry.ts';
import { cancellation } from './failures.ts';
import type { Dynamo } from './port.ts';

/**
 * Refused before anything was written. A throttle that the SDK has already tried to wait out (its `attempts` say so) is not
 * waited out once more: 5 x 3 s of its pauses would not fit into a function of 10 s.
 */
export function isSurelyNotDone(error: unknown): boolean {
  const { name, $metadata } = (error ?? {}) as { name?: string; $metadata?: { attempts?: number } };
  if (name === 'TransactionConflictException' || cancellation(error)?.kind === 'retryable') return true;
  return isThrottle(error) && ($metadata?.attempts ?? 1) < 2;
}

export function withRetries(
  dynamo: Dynamo,
  { timers, random }: Pick<World, 'timers' | 'random'>,
  bounds: Partial<Pick<RetryOptions, 'attempts' | 'baseDelayMs' | 'maxDelayMs' | 'signal'>> = {},
): Dynamo {
  const options: RetryOptions = {
    ...SHORT_RETRIES,
    isRetryable: isSurelyNotDone,
    timers,
    random,
    ...bounds,
  };
  const again = <T>(call: () => Promise<T>): Promise<T> => retry(call, options);
  return {
    get: (input) => again(() => dynamo.get(input)),
    put: (input) => again(() => dynamo.put(input)),
    update: (input) => again(() => dynamo.update(input)),
    delete: (input) => again(() => dynamo.delete(input)),
    query: (input) => again(() => dynamo.query(input)),
    scan: (input) => again(() => dynamo.scan(input)),
    batchGet: (input) => again(() => dynamo.batchGet(input)),
    batchWrite: (input) => again(() => dynamo.batchWrite(input)),
    transactWrite: (input) => again(() => dynamo.transactWrite(input)),
  };
}
