// DynamoDB streams of the memory engine: one record per change, in order, in the shape of a Lambda event.

import { describe, expect, it } from '@jest/globals';
import { createMemoryDynamo } from '../../../../lib/platform/dynamodb/memory/index.ts';
import type { StreamView, TableSchema } from '../../../../lib/platform/dynamodb/table-schema.ts';
import { createManualClock } from '../../../support/world.ts';

const schema = (stream?: StreamView): TableSchema => ({
  name: 'Things',
  partitionKey: { name: 'pk', type: 'S' },
  ...(stream && { stream }),
});
const TableName = 'Things';

async function changes(stream?: StreamView) {
  const clock = createManualClock(1_700_000_000_999);
  const dynamo = createMemoryDynamo({ clock, tables: [schema(stream)] });
  await dynamo.put({ TableName, Item: { pk: 'a', n: 1 } });
  await dynamo.update({
    TableName,
    Key: { pk: 'a' },
    UpdateExpression: 'SET n = :n',
    ExpressionAttributeValues: { ':n': 2 },
  });
  await dynamo.delete({ TableName, Key: { pk: 'a' } });
  return dynamo.streamRecords(TableName, 0);
}

const OLD = { pk: { S: 'a' }, n: { N: '1' } };
const NEW = { pk: { S: 'a' }, n: { N: '2' } };

describe('stream records', () => {
  it.each([
    ['NEW_IMAGE' as const, [{ NewImage: OLD }, { NewImage: NEW }, {}]],
    ['OLD_IMAGE' as const, [{}, { OldImage: OLD }, { OldImage: NEW }]],
    ['NEW_AND_OLD_IMAGES' as const, [{ NewImage: OLD }, { OldImage: OLD, NewImage: NEW }, { OldImage: NEW }]],
    ['KEYS_ONLY' as const, [{}, {}, {}]],
  ])('with %s carry exactly those images', async (view, images) => {
    const records = await changes(view);
    expect(records.map(({ eventName }) => eventName)).toEqual(['INSERT', 'MODIFY', 'REMOVE']);
    expect(records.map(({ dynamodb: { NewImage, OldImage } }) => ({ NewImage, OldImage }))).toEqual(images);
    for (const { dynamodb } of records) {
      expect(dynamodb).toMatchObject({
        Keys: { pk: { S: 'a' } },
        StreamViewType: view,
        ApproximateCreationDateTime: 1_700_000_000,
      });
    }
  });

  it('do not exist for a table without a stream', async () => expect(await changes()).toEqual([]));

  it('are read from where the reader stands, a bounded number at once', async () => {
    const dynamo = createMemoryDynamo({ clock: createManualClock(), tables: [schema('NEW_IMAGE')] });
    for (let n = 1; n <= 5; n += 1) await dynamo.put({ TableName, Item: { pk: `p${n}` } });
    const page = dynamo.streamRecords(TableName, 1, 2);
    expect(page.map(({ dynamodb }) => dynamodb.Keys.pk)).toEqual([{ S: 'p2' }, { S: 'p3' }]);
    expect(page.map(({ dynamodb }) => Number(dynamodb.SequenceNumber))).toEqual([2, 3]);
  });

  it('carry binary values in base64, as JSON must', async () => {
    const dynamo = createMemoryDynamo({ clock: createManualClock(), tables: [schema('NEW_IMAGE')] });
    await dynamo.put({ TableName, Item: { pk: 'a', b: new Uint8Array([255]), bs: new Set([new Uint8Array([1])]) } });
    expect(dynamo.streamRecords(TableName, 0)[0]?.dynamodb.NewImage).toMatchObject({
      b: { B: '/w==' },
      bs: { BS: ['AQ=='] },
    });
  });

  it('of a transaction appear only when it commits', async () => {
    const dynamo = createMemoryDynamo({ clock: createManualClock(), tables: [schema('NEW_IMAGE')] });
    const write = (ConditionExpression: string) =>
      dynamo.transactWrite({
        TransactItems: [
          { Put: { TableName, Item: { pk: 'a' } } },
          { Put: { TableName, Item: { pk: 'b' }, ConditionExpression } },
        ],
      });
    await expect(write('attribute_exists(pk)')).rejects.toMatchObject({ name: 'TransactionCanceledException' });
    expect(dynamo.streamRecords(TableName, 0)).toEqual([]);
    await write('attribute_not_exists(pk)');
    expect(dynamo.streamRecords(TableName, 0)).toHaveLength(2);
  });

  it('of a deletion by TTL carry the identity of the service; nothing expires by itself', async () => {
    const clock = createManualClock();
    const dynamo = createMemoryDynamo({
      clock,
      tables: [{ ...schema('OLD_IMAGE'), timeToLiveAttribute: 'expiresAt' }],
    });
    await dynamo.put({ TableName, Item: { pk: 'a', expiresAt: 1 } });
    clock.advance(1e10);
    expect(dynamo.items(TableName)).toHaveLength(1);
    expect(dynamo.removeItem(TableName, { pk: 'a' }, { userIdentity: 'ttl' })).toBe(true);
    expect(dynamo.removeItem(TableName, { pk: 'a' }, { userIdentity: 'ttl' })).toBe(false);
    const [, removal, ...more] = dynamo.streamRecords(TableName, 0);
    expect(more).toEqual([]);
    expect(removal).toMatchObject({
      eventName: 'REMOVE',
      userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' },
    });
  });

  it('of damage done by hand look like any write', async () => {
    const dynamo = createMemoryDynamo({ clock: createManualClock(), tables: [schema('NEW_IMAGE')] });
    dynamo.replaceItem(TableName, { pk: 'a', damaged: true });
    expect(dynamo.streamRecords(TableName, 0)).toMatchObject([{ eventName: 'INSERT' }]);
    expect(dynamo.items(TableName)).toEqual([{ pk: 'a', damaged: true }]);
  });
});
