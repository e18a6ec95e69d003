// What a refused DynamoDB write says. The SDK gives the item that stood in the way in wire format ({ S: '...' }), on both
// engines; these functions give it as plain values.

import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';

type PlainItem = Record<string, unknown>;

/** Did the write's own condition refuse it? */
export const isConditionFailed = (error: unknown): boolean =>
  (error as { name?: string } | undefined)?.name === 'ConditionalCheckFailedException';

/**
 * The item that the condition was checked against, as plain values: what `ReturnValuesOnConditionCheckFailure: 'ALL_OLD'`
 * brings back. Undefined when it was not asked for or when there is no item.
 * @example const winner = refusedItem(error); // { streamId: 'order-1', version: 7, ... }
 */
export function refusedItem(error: unknown): PlainItem | undefined {
  const item = (error as { Item?: Record<string, AttributeValue> } | undefined)?.Item;
  return item && unmarshall(item);
}

/**
 * The codes that AWS names (API reference, TransactWriteItems, "TransactionCanceledException"; `DuplicateItem` by PartiQL),
 * and what they mean to the caller.
 */
export type ReasonKind =
  /** Its own condition does not hold: read again, decide again. */
  | 'refused'
  /** Another transaction holds the item, or too fast: the same request can succeed. */
  | 'retryable'
  /** The same request fails again. */
  | 'invalid';

export interface CancelledWrite {
  /** Place in `TransactItems`. */
  index: number;
  code: string;
  kind: ReasonKind;
  message: string;
  /** The item in the way, when asked for. */
  item?: PlainItem;
}

export interface Cancellation {
  /**
   * 'invalid' when one reason is, else 'refused' when one is, else 'retryable': the strongest decides, because a retry
   * cannot help against it.
   */
  kind: ReasonKind;
  /** Only those that failed. */
  writes: CancelledWrite[];
}

const KINDS: Readonly<Record<string, ReasonKind>> = {
  ConditionalCheckFailed: 'refused',
  TransactionConflict: 'retryable',
  ThrottlingError: 'retryable',
  ProvisionedThroughputExceeded: 'retryable',
  ItemCollectionSizeLimitExceeded: 'invalid',
  ValidationError: 'invalid',
  DuplicateItem: 'invalid',
  AccessDenied: 'invalid',
};

interface Cancelled {
  name?: string;
  CancellationReasons?: { Code?: string; Message?: string; Item?: Record<string, AttributeValue> }[];
}

/** Why a transaction was cancelled; undefined for every other error. */
export function cancellation(error: unknown): Cancellation | undefined {
  const { name, CancellationReasons } = (error ?? {}) as Cancelled;
  if (name !== 'TransactionCanceledException') return undefined;
  const writes: CancelledWrite[] = [];
  for (const [index, { Code: code = 'None', Message, Item }] of (CancellationReasons ?? []).entries()) {
    if (code === 'None') continue;
    const kind = Object.hasOwn(KINDS, code) ? (KINDS[code] as ReasonKind) : 'invalid';
    writes.push({ index, code, kind, message: Message ?? code, ...(Item && { item: unmarshall(Item) }) });
  }
  const has = (kind: ReasonKind) => writes.some((write) => write.kind === kind);
  return { kind: has('invalid') || writes.length === 0 ? 'invalid' : has('refused') ? 'refused' : 'retryable', writes };
}
