// The verifier's own reads: whole tables and partitions, strongly consistent, page by page. Nothing is interpreted here.

import type { Dynamo } from '../../platform/dynamodb/port.ts';

export type Item = Record<string, unknown>;

export async function* queryItems(
  dynamo: Dynamo,
  table: string,
  key: { name: string; value: string },
): AsyncGenerator<Item> {
  let from: Item | undefined;
  do {
    const page = await dynamo.query({
      TableName: table,
      KeyConditionExpression: '#key = :key',
      ExpressionAttributeNames: { '#key': key.name },
      ExpressionAttributeValues: { ':key': key.value },
      ConsistentRead: true,
      ExclusiveStartKey: from,
    });
    yield* page.Items ?? [];
    from = page.LastEvaluatedKey;
  } while (from);
}

export async function* scanItems(dynamo: Dynamo, table: string, attributes?: readonly string[]): AsyncGenerator<Item> {
  let from: Item | undefined;
  const projection = attributes && {
    ProjectionExpression: attributes.map((_, index) => `#a${index}`).join(', '),
    ExpressionAttributeNames: Object.fromEntries(attributes.map((name, index) => [`#a${index}`, name])),
  };
  do {
    const page = await dynamo.scan({ TableName: table, ConsistentRead: true, ExclusiveStartKey: from, ...projection });
    yield* page.Items ?? [];
    from = page.LastEvaluatedKey;
  } while (from);
}

export async function getItem(dynamo: Dynamo, table: string, key: Item): Promise<Item | undefined> {
  return (await dynamo.get({ TableName: table, Key: key, ConsistentRead: true })).Item;
}
