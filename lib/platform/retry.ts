// Bounded retries with full jitter, and the classification of what can be retried. Nothing here waits by itself: time and
// randomness come in with the call.

import { EventRecoveryError } from '../model/errors.ts';
import type { Random, Timers } from './clock.ts';

export interface RetryOptions {
  /** Tries in all, the first included. At least 1. */
  attempts: number;
  /** The longest pause after the first failure; doubles with every further one. */
  baseDelayMs: number;
  /** No pause is longer. */
  maxDelayMs: number;
  /** @default isTransient or isThrottle */
  isRetryable?: (error: unknown) => boolean;
  timers: Timers;
  random: Random;
  /** Ends the waiting; the reason is thrown. */
  signal?: AbortSignal;
}

/** For requests to DynamoDB: 5 tries wait at most 50 + 100 + 200 + 400 = 750 ms in all, which fits into a function of 10 s. */
export const SHORT_RETRIES = { attempts: 5, baseDelayMs: 50, maxDelayMs: 1_000 } as const;

/**
 * Runs `operation` until it succeeds, fails for good, or the attempts are used up; then the last error is thrown as it is.
 * A pause is random from 0 to min(maxDelayMs, baseDelayMs x 2^(failures - 1)): "full jitter", which spreads contenders best.
 * In all it waits at most the sum of those bounds: 4 attempts with 50 ms base wait at most 50 + 100 + 200 = 350 ms.
 * @example await retry((attempt) => dynamo.transactWrite(request), { attempts: 4, baseDelayMs: 50, maxDelayMs: 1000, timers, random });
 */
export async function retry<T>(operation: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const { attempts, isRetryable = isRetryableError, timers, signal } = options;
  if (!Number.isInteger(attempts) || attempts < 1)
    throw new RangeError(`attempts: got ${attempts}; allowed: 1 or more`);
  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted();
    try {
      return await operation(attempt);
    } catch (error) {
      if (attempt >= attempts || !isRetryable(error)) throw error;
    }
    await timers.sleep(jitteredDelayMs(attempt, options), signal);
  }
}

/** The pause after the n-th failure. */
export function jitteredDelayMs(
  failures: number,
  { baseDelayMs, maxDelayMs, random }: Pick<RetryOptions, 'baseDelayMs' | 'maxDelayMs' | 'random'>,
): number {
  return Math.floor(random.next() * Math.min(maxDelayMs, baseDelayMs * 2 ** (failures - 1)));
}

export const isRetryableError = (error: unknown): boolean => isThrottle(error) || isTransient(error);

/** The names that AWS services give to "too fast". Nothing was done. */
const THROTTLES: ReadonlySet<string> = new Set([
  'LimitExceededException',
  'PriorRequestNotComplete',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
]);

/** Cancellation reasons of a transaction that another try can get past. */
const THROTTLE_REASONS: ReadonlySet<string> = new Set(['ThrottlingError', 'ProvisionedThroughputExceeded']);
const TRANSIENT_REASONS: ReadonlySet<string> = new Set(['TransactionConflict', ...THROTTLE_REASONS]);

const TRANSIENT_NAMES: ReadonlySet<string> = new Set([
  'InternalServerError',
  'InternalServerErrorException',
  'RequestTimeout',
  'RequestTimeoutException',
  'ServiceUnavailable',
  'ServiceUnavailableException',
  'TimeoutError',
  'TransactionConflictException',
  // A request with this token is still running: it may yet succeed.
  'TransactionInProgressException',
  'ReplicatedWriteConflictException',
]);
const TRANSIENT_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
]);
const TRANSIENT_STATUS: ReadonlySet<number> = new Set([500, 502, 503, 504]);

interface Facts {
  name?: string;
  code?: unknown;
  $metadata?: { httpStatusCode?: number };
  $retryable?: { throttling?: boolean };
  CancellationReasons?: { Code?: string }[];
  cause?: unknown;
}

const factsOf = (error: unknown): Facts => (typeof error === 'object' && error !== null ? (error as Facts) : {});

/** The service refused because of its rate: nothing was written, wait longer. */
export function isThrottle(error: unknown): boolean {
  const { name, $metadata, $retryable } = factsOf(error);
  if (name === 'TransactionCanceledException') return allReasonsIn(error, THROTTLE_REASONS);
  return THROTTLES.has(name ?? '') || $metadata?.httpStatusCode === 429 || $retryable?.throttling === true;
}

/**
 * Another try can succeed: lost connection, timeout, server error, conflict between transactions. The request MAY have been
 * carried out, so only conditional or repeatable requests may be tried again.
 */
export function isTransient(error: unknown): boolean {
  if (error instanceof EventRecoveryError) return error.retryable;
  const { name, code, $metadata, $retryable, cause } = factsOf(error);
  if (name === 'AbortError') return false;
  if (name === 'TransactionCanceledException') return allReasonsIn(error, TRANSIENT_REASONS);
  return (
    TRANSIENT_NAMES.has(name ?? '') ||
    (typeof code === 'string' && TRANSIENT_CODES.has(code)) ||
    TRANSIENT_STATUS.has($metadata?.httpStatusCode ?? 0) ||
    $retryable !== undefined ||
    (cause !== undefined && cause !== error && isTransientCause(cause))
  );
}

/** One level deep is enough for what Node and the SDK wrap, and cannot run in circles. */
const isTransientCause = (cause: unknown): boolean => {
  const { name, code } = factsOf(cause);
  return TRANSIENT_NAMES.has(name ?? '') || (typeof code === 'string' && TRANSIENT_CODES.has(code));
};

function allReasonsIn(error: unknown, codes: ReadonlySet<string>): boolean {
  const failed = (factsOf(error).CancellationReasons ?? []).filter(({ Code }) => Code !== undefined && Code !== 'None');
  return failed.length > 0 && failed.every(({ Code }) => codes.has(Code as string));
}
