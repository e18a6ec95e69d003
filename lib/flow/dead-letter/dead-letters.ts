// Dead letters over DynamoDB. Rows are written only inside transactions with the checkpoint that they belong to; here are
// the writes for these transactions, and the reads. Listing follows an index, page by page, oldest failure first.

import type { DeadLetter, DeadLetterStatus } from '../../model/dead-letter.ts';
import type { Write } from '../../platform/dynamodb/port.ts';
import { withRetries } from '../checkpoint/refusal.ts';
import { listDeadLetters } from './list.ts';
import type { DeadLetters } from './port.ts';
import { type DeadLetterTable, toDeadLetter } from './row.ts';
import { markTold, untoldDeadLetters } from './untold.ts';

/** An earlier row of the same id (the same event, after a redrive) keeps these. */
const KEPT = new Set(['rounds', 'firstFailedAt', 'previous']);

/** @example const deadLetters = createDeadLetters({ dynamo, table: environment.DEAD_LETTERS_TABLE, world }); */
export function createDeadLetters(table: DeadLetterTable): DeadLetters {
  return {
    recordWrite: (deadLetter) => recordWrite(table.table, deadLetter),
    statusWrite: (id, from, to, now, extra = {}) =>
      statusWrite(table.table, id, from, { ...extra, status: to, updatedAt: now }),
    get: async (id) => {
      const { Item } = await withRetries(table.world, () =>
        table.dynamo.get({ TableName: table.table, Key: { id }, ConsistentRead: true }),
      );
      return Item && toDeadLetter(Item);
    },
    list: (filter) => listDeadLetters(table, filter),
    untold: (end, atMost) => untoldDeadLetters(table, end, atMost),
    markTold: (seen) => markTold(table, seen),
  };
}

function recordWrite(table: string, { id, ...row }: DeadLetter): Write {
  const fields = Object.entries(row).filter(([, value]) => value !== undefined);
  const assignment = (name: string) =>
    KEPT.has(name) ? `#${name} = if_not_exists(#${name}, :${name})` : `#${name} = :${name}`;
  return {
    Update: {
      TableName: table,
      Key: { id },
      UpdateExpression: `SET ${fields.map(([name]) => assignment(name)).join(', ')}`,
      ...placeholders(fields),
    },
  };
}

function statusWrite(
  table: string,
  id: string,
  from: readonly DeadLetterStatus[],
  change: Record<string, unknown>,
): Write {
  const fields = Object.entries(change).filter(([, value]) => value !== undefined);
  const { ExpressionAttributeNames, ExpressionAttributeValues } = placeholders(fields);
  const exists = 'attribute_exists(#id)';
  const hasStatus = `#status IN (${from.map((_, index) => `:from${index}`).join(', ')})`;
  return {
    Update: {
      TableName: table,
      Key: { id },
      UpdateExpression: `SET ${fields.map(([name]) => `#${name} = :${name}`).join(', ')}`,
      ConditionExpression: `${exists} AND ${hasStatus}`,
      ExpressionAttributeNames: { ...ExpressionAttributeNames, '#id': 'id' },
      ExpressionAttributeValues: {
        ...ExpressionAttributeValues,
        ...Object.fromEntries(from.map((status, index) => [`:from${index}`, status])),
      },
    },
  };
}

const placeholders = (fields: readonly [string, unknown][]) => ({
  ExpressionAttributeNames: Object.fromEntries(fields.map(([name]) => [`#${name}`, name])),
  ExpressionAttributeValues: Object.fromEntries(fields.map(([name, value]) => [`:${name}`, value])),
});
