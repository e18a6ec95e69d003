// The conditional update of one checkpoint item, with bounded retries: the request that acquire, save and rewind are made
// of. A refusal is a value that carries the item as it was; only what no retry heals is thrown.

import type { World } from '../../platform/clock.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import { type CheckpointItem, checkpointKey } from './item.ts';
import { namesIn, placeholdersIn } from './lease.ts';
import type { CheckpointKey } from './port.ts';
import { refusalOf, withRetries } from './refusal.ts';

export interface CheckpointTable {
  dynamo: Dynamo;
  table: string;
  world: Pick<World, 'timers' | 'random'>;
}

export interface ConditionalUpdate {
  update: string;
  condition: string;
  /** May hold more than the expressions use: DynamoDB gets only what is used. */
  values: Record<string, unknown>;
  returnOld?: boolean;
}

export type UpdateResult =
  | { kind: 'updated'; old: CheckpointItem | undefined }
  | { kind: 'refused'; item: CheckpointItem | undefined };

/** The request, as it also stands inside a transaction. */
export const updateRequest = (table: string, key: CheckpointKey, { update, condition, values }: ConditionalUpdate) => {
  const expressionValues = valuesIn(values, update, condition);
  return {
    TableName: table,
    Key: checkpointKey(key),
    UpdateExpression: update,
    ConditionExpression: condition,
    ExpressionAttributeNames: namesIn(update, condition),
    ...(Object.keys(expressionValues).length > 0 && { ExpressionAttributeValues: expressionValues }),
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
  };
};

export async function conditionalUpdate(
  table: CheckpointTable,
  key: CheckpointKey,
  request: ConditionalUpdate,
): Promise<UpdateResult> {
  const input = updateRequest(table.table, key, request);
  return withRetries(table.world, async () => {
    try {
      const { Attributes } = await table.dynamo.update(
        request.returnOld ? { ...input, ReturnValues: 'ALL_OLD' } : input,
      );
      return { kind: 'updated', old: Attributes as CheckpointItem | undefined };
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal.kind !== 'condition') throw error;
      return { kind: 'refused', item: refusal.item as CheckpointItem | undefined };
    }
  });
}

function valuesIn(values: Record<string, unknown>, ...expressions: readonly string[]): Record<string, unknown> {
  const used: Record<string, unknown> = {};
  for (const expression of expressions) {
    for (const placeholder of placeholdersIn(expression, ':')) {
      if (Object.hasOwn(values, placeholder)) used[placeholder] = values[placeholder];
    }
  }
  return used;
}
