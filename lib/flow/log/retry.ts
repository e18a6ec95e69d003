// Bounded retries with full jitter for the log's requests. Decides by the error's NAME, because an error of the memory
// engine, of the SDK and of a test are told apart in the same way. An unknown error counts as transient: every write here
// carries its condition, so that trying again is always safe.

import type { Random, Timers } from '../../platform/clock.ts';

export interface RetryWorld {
  timers: Timers;
  random: Random;
}

/** 5 tries wait at most 50 + 100 + 200 + 400 = 750 ms together, on top of the SDK's own retries. */
export const TRIES = 5;
const BASE_MS = 50;
const CAP_MS = 1_000;

/** Full jitter: a random time below an exponentially growing bound. `failures` = tries that failed so far, from 1. */
export const backoffMs = (failures: number, random: Random): number =>
  Math.ceil(random.next() * Math.min(CAP_MS, BASE_MS * 2 ** (failures - 1)));

/** Errors that say "this request is wrong": another try gives the same answer. */
const PERMANENT = new Set([
  'ValidationException',
  'AccessDeniedException',
  'ResourceNotFoundException',
  'ConditionalCheckFailedException',
  'TransactionCanceledException',
  'IdempotentParameterMismatchException',
  'ItemCollectionSizeLimitExceededException',
  'UnrecognizedClientException',
  'ExpiredTokenException',
  'MissingAuthenticationTokenException',
]);

/** Programming errors, and our own errors that say that they are final. */
const isFinal = (error: unknown): boolean =>
  error instanceof TypeError || error instanceof RangeError || (error as { retryable?: unknown })?.retryable === false;

export const isTransient = (error: unknown): boolean =>
  !PERMANENT.has((error as { name?: string })?.name ?? '') && !isFinal(error);

export async function withRetries<Result>(world: RetryWorld, request: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await request();
    } catch (error) {
      if (tries >= TRIES || !isTransient(error)) throw error;
      await world.timers.sleep(backoffMs(tries, world.random));
    }
  }
}
