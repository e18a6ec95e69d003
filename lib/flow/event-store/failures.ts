// What a failed request to DynamoDB means to the event store: refused for good, or worth another try. Reads are repeatable
// and the one write carries its condition, so everything that is not surely final is tried again, a bounded number of times.

import { EventRecoveryError } from '../../model/errors.ts';
import type { World } from '../../platform/clock.ts';
import { isRetryableError, type RetryOptions, retry } from '../../platform/retry.ts';

/** 4 tries wait at most 50 + 100 + 200 = 350 ms in all, on top of the SDK's own retries. */
export const TRIES = 4;
const BASE_DELAY_MS = 50;
const MAX_DELAY_MS = 1_000;

interface Facts {
  name?: string;
  message?: string;
  $fault?: string;
}

/** Another try gives the same answer: wrong request, missing table, no permission, a bug. */
export function isFinal(error: unknown): boolean {
  if (isRetryableError(error)) return false;
  if (error instanceof EventRecoveryError) return true;
  if (error instanceof TypeError || error instanceof RangeError) return true;
  const { name, $fault } = (error ?? {}) as Facts;
  return $fault === 'client' || name === 'AbortError' || name === 'CredentialsProviderError';
}

export const retryOptions = (
  { timers, random }: Pick<World, 'timers' | 'random'>,
  signal?: AbortSignal,
): RetryOptions => ({
  attempts: TRIES,
  baseDelayMs: BASE_DELAY_MS,
  maxDelayMs: MAX_DELAY_MS,
  isRetryable: (error) => !isFinal(error),
  timers,
  random,
  ...(signal && { signal }),
});

/**
 * A read with bounded retries.
 * @throws EventRecoveryError `STORE_UNAVAILABLE` (retryable) or `STORE_REFUSED`, both with the AWS error as cause
 */
export async function readWithRetries<T>(
  world: Pick<World, 'timers' | 'random'>,
  table: string,
  read: () => Promise<T>,
): Promise<T> {
  try {
    return await retry(read, retryOptions(world));
  } catch (error) {
    throw readFailure(error, `table "${table}"`);
  }
}

/** What a read that was tried often enough ends with. Our own errors are passed on as they are. */
export const readFailure = (error: unknown, what: string): EventRecoveryError =>
  isFinal(error) || error instanceof EventRecoveryError ? refused(error, `reading ${what}`) : unavailable(error, what);

/** DynamoDB said no for good. Our own errors are passed on as they are. */
export function refused(error: unknown, doing: string): EventRecoveryError {
  if (error instanceof EventRecoveryError) return error;
  const { name = 'Error', message = '' } = (error ?? {}) as Facts;
  return new EventRecoveryError(
    'STORE_REFUSED',
    `${doing}: DynamoDB answered ${name}: ${message}; remedy: check table name, region and permissions`,
    { facts: { doing, awsError: name }, cause: error },
  );
}

const unavailable = (error: unknown, what: string): EventRecoveryError => {
  const { name = 'Error', message = '' } = (error ?? {}) as Facts;
  return new EventRecoveryError(
    'STORE_UNAVAILABLE',
    `reading ${what} failed several times, at last with ${name}: ${message}; remedy: try again later`,
    { retryable: true, facts: { what, awsError: name }, cause: error },
  );
};

/** The write was sent and nobody knows whether it was carried out. */
export const outcomeUnknown = (error: unknown, streamId: string, version: number): EventRecoveryError => {
  const { name = 'Error', message = '' } = (error ?? {}) as Facts;
  return new EventRecoveryError(
    'APPEND_OUTCOME_UNKNOWN',
    `stream "${streamId}": the append at version ${version} was not answered, at last with ${name}: ${message}; it may or may not be stored; remedy: append the same events, with the same ids, at the same expected version again: an append that is stored already is recognised`,
    { retryable: true, facts: { streamId, version, awsError: name }, cause: error },
  );
};
