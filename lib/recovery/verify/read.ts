// The verifier's own reads: whole tables and partitions, strongly consistent, page by page. Nothing is interpreted here.

import type { Dynamo } from '../../platform/dynamodb/port.ts';

export type Item = Record<string, unknown>;

/** `since`: from this sort key on. */
export async function* queryItems(
  dynamo: Dynamo,
  table: string,
  key: { name: string; value: string },
  since?: { name: string; value: string },
): AsyncGenerator<Item> {
  let from: Item | undefined;
  do {
    const page = await dynamo.query({
      TableName: table,
      KeyConditionExpression: since ? '#key = :key AND #since >= :since' : '#key = :key',
      ExpressionAttributeNames: { '#key': key.name, ...(since && { '#since': since.name }) },
      ExpressionAttributeValues: { ':key': key.value, ...(since && { ':since': since.value }) },
      ConsistentRead: true,
      ExclusiveStartKey: from,
    });
    yield* page.Items ?? [];
    from = page.LastEvaluatedKey;
  } while (from);
}

export interface ScanOptions {
  /** Only these come over the wire; what is read costs the same. */
  attributes: readonly string[];
  /** One of so many parts of the table. @default all of it */
  part?: { segment: number; of: number };
}

export async function* scanItems(
  dynamo: Dynamo,
  table: string,
  { attributes, part }: ScanOptions,
): AsyncGenerator<Item> {
  let from: Item | undefined;
  const request = {
    TableName: table,
    ConsistentRead: true,
    ProjectionExpression: attributes.map((_, index) => `#a${index}`).join(', '),
    ExpressionAttributeNames: Object.fromEntries(attributes.map((name, index) => [`#a${index}`, name])),
    ...(part && { Segment: part.segment, TotalSegments: part.of }),
  };
  do {
    const page = await dynamo.scan({ ...request, ExclusiveStartKey: from });
    yield* page.Items ?? [];
    from = page.LastEvaluatedKey;
  } while (from);
}

/** API reference, BatchGetItem: at most 100 keys. */
const BATCH_KEYS = 100;

/**
 * Those that exist, in no order: one request after the other, 10,000 units a second at most. What an answer leaves undone (16 MB, a
 * throttled partition) is read one by one.
 */
export async function getItems(dynamo: Dynamo, table: string, keys: readonly Item[]): Promise<Item[]> {
  const items: Item[] = [];
  for (let at = 0; at < keys.length; at += BATCH_KEYS) {
    const Keys = keys.slice(at, at + BATCH_KEYS);
    const answer = await dynamo.batchGet({ RequestItems: { [table]: { Keys, ConsistentRead: true } } });
    for (const item of answer.Responses?.[table] ?? []) items.push(item);
    for (const Key of answer.UnprocessedKeys?.[table]?.Keys ?? []) {
      const { Item } = await dynamo.get({ TableName: table, Key, ConsistentRead: true });
      if (Item !== undefined) items.push(Item);
    }
  }
  return items;
}
