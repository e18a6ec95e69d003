// Batches of any size. DynamoDB takes 100 keys or 25 writes a request and may leave some undone, which is no error: they are
// sent again, with pauses, a bounded number of times. What is left then is a retryable EventRecoveryError; nothing is dropped.

import type { BatchGetCommandInput, BatchWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { EventRecoveryError } from '../../model/errors.ts';
import type { World } from '../clock.ts';
import { jitteredDelayMs } from '../retry.ts';
import type { Dynamo } from './port.ts';

/** API reference, BatchGetItem: at most 100 keys. */
export const BATCH_GET_KEYS = 100;
/** API reference, BatchWriteItem: at most 25 writes. */
export const BATCH_WRITE_ITEMS = 25;

export type BatchGetTable = NonNullable<BatchGetCommandInput['RequestItems']>[string];
export type BatchWriteRequest = NonNullable<BatchWriteCommandInput['RequestItems']>[string][number];
type Item = Record<string, unknown>;
type Waiting = Pick<World, 'timers' | 'random'> & { signal?: AbortSignal };

/** 8 rounds without progress wait at most 50 + 100 + ... + 3,200 ms = 6.35 s, half of it on average: under a 10 s function. */
const ROUNDS = 8;
const BASE_DELAY_MS = 50;
const MAX_DELAY_MS = 3_200;

/**
 * All items of one table that exist under `keys`, in no order. Duplicate keys are not allowed, as in DynamoDB.
 * @throws EventRecoveryError `BATCH_UNFINISHED` (retryable)
 */
export async function batchGetAll<T extends Item = Item>(
  dynamo: Pick<Dynamo, 'batchGet'>,
  table: string,
  keys: readonly Item[],
  options: Waiting & Pick<BatchGetTable, 'ConsistentRead' | 'ProjectionExpression' | 'ExpressionAttributeNames'>,
): Promise<T[]> {
  // Picked by name: callers pass a whole World along with it.
  const { ConsistentRead, ProjectionExpression, ExpressionAttributeNames } = options;
  const request = { ConsistentRead, ProjectionExpression, ExpressionAttributeNames };
  const found: T[] = [];
  await inChunks(keys, BATCH_GET_KEYS, options, 'BatchGetItem', async (chunk) => {
    const answer = await dynamo.batchGet({ RequestItems: { [table]: { ...request, Keys: [...chunk] } } });
    found.push(...((answer.Responses?.[table] ?? []) as T[]));
    return (answer.UnprocessedKeys?.[table]?.Keys ?? []) as Item[];
  });
  return found;
}

/**
 * Puts and deletes in one table, unconditional, in no order, not atomic. No two may touch one item.
 * @throws EventRecoveryError `BATCH_UNFINISHED` (retryable)
 */
export async function batchWriteAll(
  dynamo: Pick<Dynamo, 'batchWrite'>,
  table: string,
  requests: readonly BatchWriteRequest[],
  options: Waiting,
): Promise<void> {
  await inChunks(requests, BATCH_WRITE_ITEMS, options, 'BatchWriteItem', async (chunk) => {
    const answer = await dynamo.batchWrite({ RequestItems: { [table]: [...chunk] } });
    return answer.UnprocessedItems?.[table] ?? [];
  });
}

/**
 * What one request leaves undone leads the next chunk. Only rounds without any progress are counted: large items come back
 * undone because an answer holds 16 MB at most, and that is progress. So there are at most `all` x ROUNDS requests.
 */
async function inChunks<T>(
  all: readonly T[],
  size: number,
  { timers, random, signal }: Waiting,
  operation: string,
  send: (chunk: readonly T[]) => Promise<readonly T[]>,
): Promise<void> {
  let rest = all;
  let rounds = 0;
  while (rest.length > 0) {
    signal?.throwIfAborted();
    const chunk = rest.slice(0, size);
    const undone = await send(chunk);
    rest = [...undone, ...rest.slice(size)];
    rounds = undone.length < chunk.length ? 0 : rounds + 1;
    if (undone.length === 0) continue;
    if (rounds >= ROUNDS) throw unfinished(operation, rest.length, all.length);
    const bounds = { baseDelayMs: BASE_DELAY_MS, maxDelayMs: MAX_DELAY_MS, random };
    await timers.sleep(jitteredDelayMs(Math.max(1, rounds), bounds), signal);
  }
}

const unfinished = (operation: string, left: number, all: number): EventRecoveryError =>
  new EventRecoveryError(
    'BATCH_UNFINISHED',
    `${operation}: ${left} of ${all} are still unprocessed after ${ROUNDS} requests without progress; the table is throttled; remedy: try again later, or raise the table's capacity`,
    { retryable: true, facts: { operation, left, all, rounds: ROUNDS } },
  );
