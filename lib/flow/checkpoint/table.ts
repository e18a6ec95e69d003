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
  const { names, placeholders } = usedBy(update, condition);
  const expressionValues: Record<string, unknown> = {};
  let hasValues = false;
  for (const placeholder of placeholders) {
    const value = values[placeholder];
    if (value === undefined) continue;
    expressionValues[placeholder] = value;
    hasValues = true;
  }
  return {
    TableName: table,
    Key: checkpointKey(key),
    UpdateExpression: update,
    ConditionExpression: condition,
    ExpressionAttributeNames: names,
    ...(hasValues && { ExpressionAttributeValues: expressionValues }),
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

interface Used {
  names: Record<string, string>;
  /** Of values. */
  placeholders: readonly string[];
}

/** By update, then by condition: pairs are a few dozen. */
const known = new Map<string, Map<string, Used>>();
/** Texts made at run time must not fill the memory. */
const KNOWN_LIMIT = 500;

function usedBy(update: string, condition: string): Used {
  const used = known.get(update)?.get(condition);
  if (used !== undefined) return used;
  const made = {
    names: namesIn(update, condition),
    placeholders: [...new Set([...placeholdersIn(update, ':'), ...placeholdersIn(condition, ':')])],
  };
  if (known.size >= KNOWN_LIMIT) known.clear();
  const byCondition = known.get(update) ?? new Map<string, Used>();
  known.set(update, byCondition.set(condition, made));
  return made;
}
