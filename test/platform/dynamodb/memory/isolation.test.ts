// The memory engine as a component: isolation of items, time, determinism, and that nothing unknown is ignored.

import { describe, expect, it } from '@jest/globals';
import { createMemoryDynamo } from '../../../../lib/platform/dynamodb/memory/index.ts';
import type { Dynamo } from '../../../../lib/platform/dynamodb/port.ts';
import type { TableSchema } from '../../../../lib/platform/dynamodb/table-schema.ts';
import { createManualClock } from '../../../support/world.ts';

const TABLE: TableSchema = {
  name: 'Things',
  partitionKey: { name: 'pk', type: 'S' },
  sortKey: { name: 'sk', type: 'N' },
};
const TableName = 'Things';
const Key = { pk: 'a', sk: 1 };
const engine = (options: Partial<Parameters<typeof createMemoryDynamo>[0]> = {}) =>
  createMemoryDynamo({ clock: createManualClock(), tables: [TABLE], ...options });

describe('items are isolated', () => {
  const given = () => ({
    ...Key,
    list: [1, { deep: 'x' }] as unknown[],
    bytes: new Uint8Array([1, 2]),
    set: new Set(['a']),
  });

  it('from the object that was put', async () => {
    const dynamo = engine();
    const item = given();
    await dynamo.put({ TableName, Item: item });
    item.list.push('changed');
    (item.list[1] as { deep: string }).deep = 'changed';
    item.bytes[0] = 9;
    item.set.add('b');
    expect((await dynamo.get({ TableName, Key })).Item).toEqual(given());
  });

  it('from every object that was returned', async () => {
    const dynamo = engine();
    await dynamo.put({ TableName, Item: given() });
    const answers = [
      (await dynamo.get({ TableName, Key })).Item,
      (
        await dynamo.get({
          TableName,
          Key,
          ProjectionExpression: '#l, #b, #s',
          ExpressionAttributeNames: { '#l': 'list', '#b': 'bytes', '#s': 'set' },
        })
      ).Item,
      (await dynamo.update({ TableName, Key, ReturnValues: 'ALL_NEW' })).Attributes,
      (await dynamo.query({ TableName, KeyConditionExpression: 'pk = :p', ExpressionAttributeValues: { ':p': 'a' } }))
        .Items?.[0],
      (await dynamo.scan({ TableName })).Items?.[0],
      dynamo.items(TableName)[0],
    ];
    for (const answer of answers) {
      const { list, bytes, set } = answer as ReturnType<typeof given>;
      list.push('changed');
      (list[1] as { deep: string }).deep = 'changed';
      bytes[0] = 9;
      set.add('b');
    }
    expect((await dynamo.get({ TableName, Key })).Item).toEqual(given());
  });

  it('from values of an update expression', async () => {
    const dynamo = engine();
    const value = { list: [1] };
    await dynamo.update({ TableName, Key, UpdateExpression: 'SET v = :v', ExpressionAttributeValues: { ':v': value } });
    value.list.push(2);
    expect(dynamo.items(TableName)).toEqual([{ ...Key, v: { list: [1] } }]);
  });

  it('also under names that objects inherit', async () => {
    const dynamo = engine();
    const exists = (name: string) =>
      dynamo.put({
        TableName,
        Item: Key,
        ConditionExpression: 'attribute_exists(#n)',
        ExpressionAttributeNames: { '#n': name },
      });
    for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      await expect(exists(name)).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' });
    }
    const item = JSON.parse('{"pk":"a","sk":1,"__proto__":{"polluted":true},"constructor":1}');
    await dynamo.put({ TableName, Item: item });
    await exists('__proto__').catch(() => undefined);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    await dynamo.update({
      TableName,
      Key,
      UpdateExpression: 'SET #p = :v',
      ExpressionAttributeNames: { '#p': '__proto__' },
      ExpressionAttributeValues: { ':v': 1 },
    });
    expect(Object.entries(dynamo.items(TableName)[0] ?? {})).toContainEqual(['__proto__', 1]);
  });
});

describe('time', () => {
  it('operations take effect at the call and answer in a microtask', async () => {
    const dynamo = engine();
    const put = dynamo.put({ TableName, Item: Key });
    expect(dynamo.items(TableName)).toEqual([Key]);
    const order: string[] = [];
    setImmediate(() => order.push('macrotask'));
    await put;
    order.push('answer');
    expect(order).toEqual(['answer']);
  });

  it('tells the server time of every answer, refusals included', async () => {
    const clock = createManualClock(1_000);
    const seen: number[] = [];
    const dynamo = engine({ clock, onResponse: (nowMs) => seen.push(nowMs) });
    await dynamo.put({ TableName, Item: Key });
    clock.advance(5);
    await expect(dynamo.put({ TableName, Item: {} })).rejects.toThrow();
    expect(seen).toEqual([1_000, 1_005]);
  });

  it('a token is remembered for ten minutes, then the same request is carried out again', async () => {
    const clock = createManualClock();
    const dynamo = engine({ clock });
    const add = () =>
      dynamo.transactWrite({
        ClientRequestToken: 'once',
        TransactItems: [
          { Update: { TableName, Key, UpdateExpression: 'ADD n :one', ExpressionAttributeValues: { ':one': 1 } } },
        ],
      });
    await add();
    clock.advance(10 * 60_000);
    await add();
    expect(dynamo.items(TableName)).toEqual([{ ...Key, n: 1 }]);
    clock.advance(1);
    await add();
    expect(dynamo.items(TableName)).toEqual([{ ...Key, n: 2 }]);
  });
});

describe('what it does not implement', () => {
  const unsupported: [string, (dynamo: Dynamo) => Promise<unknown>][] = [
    ['legacy conditions', (d) => d.put({ TableName, Item: Key, Expected: {} })],
    ['legacy updates', (d) => d.update({ TableName, Key, AttributeUpdates: {} })],
    ['legacy projections', (d) => d.get({ TableName, Key, AttributesToGet: ['pk'] })],
    ['legacy filters', (d) => d.scan({ TableName, ScanFilter: {} })],
    ['item collection metrics', (d) => d.put({ TableName, Item: Key, ReturnItemCollectionMetrics: 'SIZE' })],
    [
      'unknown parameters of a transaction',
      (d) => d.transactWrite({ TransactItems: [{ Put: { TableName, Item: Key, ReturnValues: 'ALL_OLD' } as never }] }),
    ],
    [
      'unknown parameters of a batch',
      (d) => d.batchGet({ RequestItems: { [TableName]: { Keys: [Key], AttributesToGet: ['pk'] } } }),
    ],
    [
      'updated values of nested paths',
      (d) => d.update({ TableName, Key, UpdateExpression: 'REMOVE a.b', ReturnValues: 'UPDATED_NEW' }),
    ],
  ];
  it.each(unsupported)('is refused, never ignored: %s', async (_, call) => {
    await expect(call(engine())).rejects.toMatchObject({ code: 'UNSUPPORTED_DYNAMODB_PARAMETER' });
  });

  it('treats an undefined parameter as absent', async () => {
    await expect(engine().get({ TableName, Key, AttributesToGet: undefined })).resolves.toEqual({});
  });
});
