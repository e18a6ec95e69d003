// Where the memory engine follows AWS's documentation and DynamoDB Local does not, so that no parity test can hold it.

import { describe, expect, it } from '@jest/globals';
import { createMemoryDynamo } from '../../../../lib/platform/dynamodb/memory/index.ts';
import type { Write } from '../../../../lib/platform/dynamodb/port.ts';
import type { TableSchema } from '../../../../lib/platform/dynamodb/table-schema.ts';
import { createManualClock } from '../../../support/world.ts';

const TABLE: TableSchema = {
  name: 'Things',
  partitionKey: { name: 'pk', type: 'S' },
  sortKey: { name: 'sk', type: 'N' },
  indexes: [{ name: 'byKind', partitionKey: { name: 'kind', type: 'S' } }],
};
const TableName = 'Things';
const Key = { pk: 'a', sk: 1 };
const engine = () => createMemoryDynamo({ clock: createManualClock(), tables: [TABLE] });
const all = { KeyConditionExpression: 'pk = :p', ExpressionAttributeValues: { ':p': 'a' } };

describe('a transaction', () => {
  const update = (UpdateExpression: string): Write => ({
    Update: { TableName, Key, UpdateExpression, ExpressionAttributeValues: { ':v': 1 } },
  });

  // API reference, TransactionCanceledException, cancellation reason "ValidationError" and its messages.
  it.each([
    ['a value of another type', 'SET t = t + :v', 'An operand in the update expression has an incorrect data type'],
    [
      'a missing attribute',
      'SET n = missing1 + :v',
      'The provided expression refers to an attribute that does not exist in the item',
    ],
    ['a bad path', 'SET t.inside = :v', 'The document path provided in the update expression is invalid for update'],
  ])('names %s as the reason of its item', async (_, expression, Message) => {
    const dynamo = engine();
    await dynamo.put({ TableName, Item: { ...Key, t: 'x' } });
    const other = { Put: { TableName, Item: { pk: 'b', sk: 1 } } };
    await expect(dynamo.transactWrite({ TransactItems: [other, update(expression)] })).rejects.toMatchObject({
      name: 'TransactionCanceledException',
      message: 'Transaction cancelled, please refer cancellation reasons for specific reasons [None, ValidationError]',
      CancellationReasons: [{ Code: 'None' }, { Code: 'ValidationError', Message }],
    });
    expect(dynamo.items(TableName)).toHaveLength(1);
  });

  it('needs an expression where the API requires one', async () => {
    const name = 'ValidationException';
    await expect(
      engine().transactWrite({ TransactItems: [{ Update: { TableName, Key, UpdateExpression: undefined } }] }),
    ).rejects.toMatchObject({ name });
    await expect(
      engine().transactWrite({
        TransactItems: [{ ConditionCheck: { TableName, Key, ConditionExpression: undefined } }],
      }),
    ).rejects.toMatchObject({ name });
  });

  it('costs two units per KB and item, checks included', async () => {
    const answer = await engine().transactWrite({
      TransactItems: [
        { Put: { TableName, Item: { ...Key, body: 'x'.repeat(2_000) } } },
        { Put: { TableName, Item: { pk: 'b', sk: 1 } } },
        { ConditionCheck: { TableName, Key: { pk: 'c', sk: 1 }, ConditionExpression: 'attribute_not_exists(pk)' } },
      ],
      ReturnConsumedCapacity: 'TOTAL',
    });
    expect(answer.ConsumedCapacity).toEqual([{ TableName, CapacityUnits: 2 * 2 + 2 + 2 }]);
  });
});

describe('capacity', () => {
  it('reading what is not there costs a unit', async () => {
    const dynamo = engine();
    const query = (ConsistentRead: boolean) =>
      dynamo.query({ TableName, ...all, ConsistentRead, ReturnConsumedCapacity: 'TOTAL' });
    expect((await query(true)).ConsumedCapacity?.CapacityUnits).toBe(1);
    expect((await query(false)).ConsumedCapacity?.CapacityUnits).toBe(0.5);
    const batch = await dynamo.batchGet({
      RequestItems: { [TableName]: { Keys: [Key, { pk: 'b', sk: 1 }], ConsistentRead: true } },
      ReturnConsumedCapacity: 'TOTAL',
    });
    expect(batch.ConsumedCapacity).toEqual([{ TableName, CapacityUnits: 2 }]);
  });
});

describe('a page', () => {
  it('ends at 1 MB read, also when the filter lets nothing through', async () => {
    const dynamo = engine();
    for (let sk = 1; sk <= 6; sk += 1)
      await dynamo.put({ TableName, Item: { pk: 'a', sk, body: 'x'.repeat(250_000) } });
    const page = await dynamo.query({ TableName, ...all, FilterExpression: 'attribute_not_exists(body)' });
    expect(page).toMatchObject({ Items: [], Count: 0, ScannedCount: 5, LastEvaluatedKey: { pk: 'a', sk: 5 } });
  });

  it('after page walks an index whose keys are all equal, forwards and backwards', async () => {
    const dynamo = engine();
    for (let sk = 1; sk <= 7; sk += 1) await dynamo.put({ TableName, Item: { pk: `p${sk % 3}`, sk, kind: 'same' } });
    for (const ScanIndexForward of [true, false]) {
      const seen: unknown[] = [];
      let ExclusiveStartKey: Record<string, unknown> | undefined;
      do {
        const page = await dynamo.query({
          TableName,
          IndexName: 'byKind',
          KeyConditionExpression: 'kind = :k',
          ExpressionAttributeValues: { ':k': 'same' },
          Limit: 2,
          ScanIndexForward,
          ExclusiveStartKey,
        });
        seen.push(...(page.Items ?? []).map(({ sk }) => sk));
        ExclusiveStartKey = page.LastEvaluatedKey;
      } while (ExclusiveStartKey);
      expect(seen).toHaveLength(7);
      expect(new Set(seen)).toEqual(new Set([1, 2, 3, 4, 5, 6, 7]));
    }
  });

  it('of a scan goes on after a key that was deleted meanwhile; segments share the table out', async () => {
    const dynamo = engine();
    const keys = Array.from({ length: 40 }, (_, i) => ({ pk: `p${i}`, sk: i }));
    for (const Item of keys) await dynamo.put({ TableName, Item });
    const first = await dynamo.scan({ TableName, Limit: 15 });
    await dynamo.delete({ TableName, Key: first.LastEvaluatedKey as typeof Key });
    const rest = await dynamo.scan({ TableName, ExclusiveStartKey: first.LastEvaluatedKey });
    expect(new Set([...(first.Items ?? []), ...(rest.Items ?? [])].map(({ pk }) => pk)).size).toBe(40);
    const segments = await Promise.all(
      [0, 1, 2].map((Segment) => dynamo.scan({ TableName, Segment, TotalSegments: 3 })),
    );
    expect(segments.reduce((sum, { Count }) => sum + (Count ?? 0), 0)).toBe(39);
    for (const { Count } of segments) expect(Count).toBeGreaterThan(0);
  });

  it('of a scan is not in the order of the keys, because that of AWS is not', async () => {
    const dynamo = engine();
    for (let i = 0; i < 20; i += 1)
      await dynamo.put({ TableName, Item: { pk: `p${String(i).padStart(2, '0')}`, sk: 1 } });
    const found = dynamo.items(TableName).map(({ pk }) => pk as string);
    expect(found).not.toEqual([...found].sort());
  });
});
