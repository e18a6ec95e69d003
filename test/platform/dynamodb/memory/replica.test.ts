// Eventually consistent reads of the memory engine, when a test asks for them.

import { describe, expect, it } from '@jest/globals';
import { createMemoryDynamo } from '../../../../lib/platform/dynamodb/memory/index.ts';
import { createManualClock } from '../../../support/world.ts';

const TableName = 'Things';
const Key = { pk: 'a' };
const byKind = {
  TableName,
  IndexName: 'byKind',
  KeyConditionExpression: 'kind = :k',
  ExpressionAttributeValues: { ':k': 'x' },
};

function late() {
  const clock = createManualClock(10_000);
  const dynamo = createMemoryDynamo({
    clock,
    tables: [
      {
        name: TableName,
        partitionKey: { name: 'pk', type: 'S' },
        indexes: [{ name: 'byKind', partitionKey: { name: 'kind', type: 'S' } }],
      },
    ],
    replicaLagMs: () => 100,
  });
  return { clock, dynamo };
}

describe('eventually consistent reads', () => {
  it('see the table as it was, consistent ones as it is', async () => {
    const { clock, dynamo } = late();
    await dynamo.put({ TableName, Item: { ...Key, n: 1, kind: 'x' } });
    const seen = async () => [
      (await dynamo.get({ TableName, Key })).Item?.n,
      (await dynamo.batchGet({ RequestItems: { [TableName]: { Keys: [Key] } } })).Responses?.[TableName]?.[0]?.n,
      (await dynamo.scan({ TableName })).Items?.[0]?.n,
      (await dynamo.query(byKind)).Items?.[0]?.n,
    ];
    const current = async () => [
      (await dynamo.get({ TableName, Key, ConsistentRead: true })).Item?.n,
      (await dynamo.batchGet({ RequestItems: { [TableName]: { Keys: [Key], ConsistentRead: true } } })).Responses?.[
        TableName
      ]?.[0]?.n,
      (await dynamo.scan({ TableName, ConsistentRead: true })).Items?.[0]?.n,
    ];
    expect(await seen()).toEqual([undefined, undefined, undefined, undefined]);
    expect(await current()).toEqual([1, 1, 1]);
    clock.advance(60);
    await dynamo.put({ TableName, Item: { ...Key, n: 2, kind: 'x' } });
    clock.advance(60);
    expect(await seen()).toEqual([1, 1, 1, 1]);
    expect(await current()).toEqual([2, 2, 2]);
    clock.advance(60);
    expect(await seen()).toEqual([2, 2, 2, 2]);
  });

  it('do not change what conditions see', async () => {
    const { dynamo } = late();
    await dynamo.put({ TableName, Item: Key });
    await expect(
      dynamo.put({ TableName, Item: Key, ConditionExpression: 'attribute_not_exists(pk)' }),
    ).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' });
  });
});
