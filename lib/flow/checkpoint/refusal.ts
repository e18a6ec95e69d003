// What DynamoDB answered when it refused: the item that stood in the way, the reasons of a cancelled transaction, and
// whether another try can help. Errors are told apart by name, so that SDK, memory engine and tests look the same.

import { EventRecoveryError } from '../../model/errors.ts';
import type { World } from '../../platform/clock.ts';

/** Tries of one request in one call, on top of the SDK's own: waits at most 50 + 100 + 200 + 400 = 750 ms together. */
export const TRIES = 5;
const BASE_MS = 50;

/** Full jitter below an exponentially growing bound. `failures`: tries that failed so far, from 1. */
export const retryDelayMs = (failures: number, random: number): number =>
  Math.ceil(random * BASE_MS * 2 ** (failures - 1));

/**
 * The request again while it fails for a reason that passes; every write of ours carries a condition, so that is safe.
 * @throws EventRecoveryError `DYNAMODB_BUSY` after the last try; refusals and final errors as they are
 */
export async function withRetries<Result>(
  world: Pick<World, 'timers' | 'random'>,
  request: (tries: number) => Promise<Result>,
): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await request(tries);
    } catch (error) {
      if (refusalOf(error).kind !== 'transient') throw error;
      if (tries >= TRIES) throw busy(error);
      await world.timers.sleep(retryDelayMs(tries, world.random.next()));
    }
  }
}

const busy = (cause: unknown): EventRecoveryError =>
  new EventRecoveryError(
    'DYNAMODB_BUSY',
    `DynamoDB did not take the request in ${TRIES} tries (${(cause as Error)?.message}); remedy: none, the message comes back; see the cause when it lasts`,
    { retryable: true, facts: { tries: TRIES }, cause },
  );

export interface CancellationReason {
  code: string;
  message: string;
  /** The item as it was, when the request asked for it. */
  item?: Record<string, unknown>;
}

export type Refusal =
  | { kind: 'condition'; item?: Record<string, unknown> }
  | { kind: 'cancelled'; reasons: CancellationReason[] }
  /** Another try may succeed; this one may have been applied. */
  | { kind: 'transient' }
  /** The request itself is wrong: it was not applied and never will be. */
  | { kind: 'final'; code: string; message: string };

/** Reasons inside a cancelled transaction that pass by themselves. */
const BUSY_REASONS = new Set([
  'TransactionConflict',
  'ThrottlingError',
  'ProvisionedThroughputExceeded',
  'RequestLimitExceeded',
  'InternalServerError',
]);

const FINAL_ERRORS = new Set([
  'ValidationException',
  'AccessDeniedException',
  'ResourceNotFoundException',
  'ItemCollectionSizeLimitExceededException',
  'IdempotentParameterMismatchException',
]);

export function refusalOf(error: unknown): Refusal {
  const { name, message, Item, CancellationReasons } = error as Partial<ServiceError>;
  if (name === 'ConditionalCheckFailedException') return { kind: 'condition', item: plainItem(Item) };
  if (name === 'TransactionCanceledException') {
    const reasons = (CancellationReasons ?? []).map((reason) => ({
      code: reason.Code ?? 'None',
      message: reason.Message ?? '',
      item: plainItem(reason.Item),
    }));
    const blocking = reasons.filter(({ code }) => code !== 'None' && !BUSY_REASONS.has(code));
    return blocking.length === 0 ? { kind: 'transient' } : { kind: 'cancelled', reasons };
  }
  const isFinal = FINAL_ERRORS.has(name ?? '') || isProgrammingError(error);
  return isFinal ? { kind: 'final', code: name ?? 'Error', message: message ?? '' } : { kind: 'transient' };
}

/** What the SDK throws while it codes a request that no DynamoDB item can hold, and our own errors that say so. */
const isProgrammingError = (error: unknown): boolean =>
  error instanceof TypeError ||
  error instanceof RangeError ||
  error instanceof SyntaxError ||
  (error as { retryable?: unknown } | undefined)?.retryable === false;

interface ServiceError {
  name: string;
  message: string;
  Item: Record<string, unknown>;
  CancellationReasons: { Code?: string; Message?: string; Item?: Record<string, unknown> }[];
}

/** The document client leaves items inside errors in DynamoDB's wire format. Only the types of our own items occur. */
function plainItem(item: Record<string, unknown> | undefined): Record<string, unknown> | undefined {
  if (item === undefined) return undefined;
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, plainValue(value)]));
}

function plainValue(value: unknown): unknown {
  const [[type, held] = []] = Object.entries(value as Record<string, unknown>);
  switch (type) {
    case 'N':
      return Number(held);
    case 'NULL':
      return null;
    case 'M':
      return plainItem(held as Record<string, unknown>);
    case 'L':
      return (held as unknown[]).map(plainValue);
    default:
      return held;
  }
}
