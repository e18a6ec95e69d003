// How often the log's and the relay's requests are tried, on top of the SDK's own retries. Every write here carries its
// condition, so that trying again is always safe.

import type { Random, Timers } from '../../platform/clock.ts';
import { jitteredDelayMs, type RetryOptions, retry, SHORT_RETRIES } from '../../platform/retry.ts';

export interface RetryWorld {
  timers: Timers;
  random: Random;
}

export const withRetries = <Result>(
  { timers, random }: RetryWorld,
  request: () => Promise<Result>,
  options: Partial<RetryOptions> = {},
): Promise<Result> => retry(request, { ...SHORT_RETRIES, timers, random, ...options });

/** The random pause after the n-th failure. */
export const backoffMs = (failures: number, random: Random): number =>
  jitteredDelayMs(failures, { ...SHORT_RETRIES, random });
