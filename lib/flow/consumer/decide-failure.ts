// What follows when an event failed: another try after a pause, or giving up. Pure.

import { MAX_DELAY_SECONDS } from './settings.ts';

export type FailureDecision = { kind: 'retry'; delaySeconds: number } | { kind: 'park' } | { kind: 'skip' };

export interface Failure {
  /** Tries of this event that count, this one included. */
  attempts: number;
  maxAttempts: number;
  /** No later try can end differently. */
  permanent: boolean;
  onPoison: 'park' | 'skip';
}

export function decideFailure({ attempts, maxAttempts, permanent, onPoison }: Failure): FailureDecision {
  if (permanent || attempts >= maxAttempts) return { kind: onPoison };
  return { kind: 'retry', delaySeconds: retryDelaySeconds(attempts) };
}

/** 1, 4, 16, 64, 256 and then 900 s (SQS's limit) after the first, second, ... failed try. */
export const retryDelaySeconds = (attempts: number): number => Math.min(MAX_DELAY_SECONDS, 4 ** (attempts - 1));
