// Dead letters that nobody was told of yet: a mark in the row, written with each failure, and an index of the marked ones. So
// telling people costs what is new, not what is there, and whatever happens meanwhile, a mark stays until somebody was told.

import type { DeadLetter } from '../../model/dead-letter.ts';
import { isConditionFailed } from '../../platform/dynamodb/failures.ts';
import { withRetries } from '../checkpoint/refusal.ts';
import { type DeadLetterTable, toDeadLetter } from './row.ts';

export async function untoldDeadLetters(
  { dynamo, table, world }: DeadLetterTable,
  end: 'oldest' | 'newest',
  atMost: number,
): Promise<DeadLetter[]> {
  const found: DeadLetter[] = [];
  let startKey: Record<string, unknown> | undefined;
  do {
    const { Items = [], LastEvaluatedKey } = await withRetries(world, () =>
      dynamo.query({
        TableName: table,
        IndexName: 'byUntold',
        KeyConditionExpression: '#untold = :yes',
        ExpressionAttributeNames: { '#untold': 'untold' },
        ExpressionAttributeValues: { ':yes': 'yes' },
        ScanIndexForward: end === 'oldest',
        Limit: atMost - found.length,
        ...(startKey && { ExclusiveStartKey: startKey }),
      }),
    );
    found.push(...Items.map(toDeadLetter));
    startKey = LastEvaluatedKey;
  } while (startKey !== undefined && found.length < atMost);
  return found;
}

export async function markTold(
  { dynamo, table, world }: DeadLetterTable,
  { id, lastFailedAt }: Pick<DeadLetter, 'id' | 'lastFailedAt'>,
): Promise<void> {
  const failedNoMore = '#lastFailedAt = :seen';
  try {
    await withRetries(world, () =>
      dynamo.update({
        TableName: table,
        Key: { id },
        UpdateExpression: 'REMOVE #untold',
        ConditionExpression: failedNoMore,
        ExpressionAttributeNames: { '#untold': 'untold', '#lastFailedAt': 'lastFailedAt' },
        ExpressionAttributeValues: { ':seen': lastFailedAt },
      }),
    );
  } catch (error) {
    if (!isConditionFailed(error)) throw error;
  }
}
