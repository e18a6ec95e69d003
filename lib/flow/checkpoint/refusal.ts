// What DynamoDB answered when it refused a write of ours, and the bounded retry of everything else. An unknown error counts
// as transient: every write here carries a condition that makes its repetition harmless, and most unknown errors are lost
// responses.

import { EventRecoveryError } from '../../model/errors.ts';
import type { World } from '../../platform/clock.ts';
import { type CancelledWrite, cancellation, isConditionFailed, refusedItem } from '../../platform/dynamodb/failures.ts';
import { isSurelyNotDone } from '../../platform/dynamodb/with-retries.ts';
import { retry, SHORT_RETRIES } from '../../platform/retry.ts';

/**
 * Tries of a request that got no answer; what was surely not carried out (throttle, conflict) is tried as often as elsewhere. The SDK has tried it three times in up to 4.6 s by then; one more finds out
 * whether it took effect, and more would not fit into a function of 10 s.
 */
const TRIES_WITHOUT_ANSWER = 2;

export type Refusal =
  | { kind: 'condition'; item?: Record<string, unknown> }
  | { kind: 'cancelled'; writes: CancelledWrite[] }
  /** Another try may succeed; this one may have been applied. */
  | { kind: 'transient' }
  /** The request itself is wrong: it was not applied and never will be. */
  | { kind: 'final'; code: string; message: string };

const FINAL_ERRORS = new Set([
  'ValidationException',
  'AccessDeniedException',
  'ResourceNotFoundException',
  'ItemCollectionSizeLimitExceededException',
  'IdempotentParameterMismatchException',
]);

export function refusalOf(error: unknown): Refusal {
  if (isConditionFailed(error)) return { kind: 'condition', item: refusedItem(error) };
  const cancelled = cancellation(error);
  if (cancelled !== undefined) {
    // No reason at all (a proxy, an old client): the next try tells.
    const isBusy = cancelled.writes.every(({ kind }) => kind === 'retryable');
    return isBusy ? { kind: 'transient' } : { kind: 'cancelled', writes: cancelled.writes };
  }
  const { name, message } = error as Partial<Error>;
  const isFinal = FINAL_ERRORS.has(name ?? '') || isProgrammingError(error);
  return isFinal ? { kind: 'final', code: name ?? 'Error', message: message ?? '' } : { kind: 'transient' };
}

/** What the SDK throws while it codes a request that no DynamoDB item can hold, and our own errors that say so. */
const isProgrammingError = (error: unknown): boolean =>
  error instanceof TypeError ||
  error instanceof RangeError ||
  error instanceof SyntaxError ||
  (error as { retryable?: unknown } | undefined)?.retryable === false;

/**
 * The request again while it fails for a reason that passes.
 * @throws EventRecoveryError `DYNAMODB_BUSY` after the last try; refusals and final errors as they are
 */
export async function withRetries<Result>(
  { timers, random }: Pick<World, 'timers' | 'random'>,
  request: (tries: number) => Promise<Result>,
): Promise<Result> {
  let withoutAnswer = 0;
  const isRetryable = (error: unknown) => {
    if (refusalOf(error).kind !== 'transient') return false;
    if (!isSurelyNotDone(error)) withoutAnswer += 1;
    return withoutAnswer < TRIES_WITHOUT_ANSWER;
  };
  try {
    return await retry(request, { ...SHORT_RETRIES, isRetryable, timers, random });
  } catch (error) {
    throw refusalOf(error).kind === 'transient' ? busy(error) : error;
  }
}

const busy = (cause: unknown): EventRecoveryError =>
  new EventRecoveryError(
    'DYNAMODB_BUSY',
    `DynamoDB did not take the request in several tries (${(cause as Error)?.message}); remedy: none, the message comes back; see the cause when it lasts`,
    { retryable: true, cause },
  );
