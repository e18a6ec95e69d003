// Batches and transactions: atomicity, one reason per item, limits, tokens, capacity, and what is refused as a whole.

import {
  batchGet,
  batchWrite,
  get,
  item,
  KEY,
  put,
  type Scenario,
  scenario,
  transact,
  transactWith,
} from './scenario.ts';

type Input = Record<string, unknown>;
const Put = (Item: Input, more: Input = {}) => ({ Put: { TableName: 'Main', Item, ...more } });
const Update = (UpdateExpression: string, ExpressionAttributeValues?: Input, more: Input = {}) => ({
  Update: {
    TableName: 'Main',
    Key: KEY,
    UpdateExpression,
    ...(ExpressionAttributeValues && { ExpressionAttributeValues }),
    ...more,
  },
});
const Delete = (Key: Input, more: Input = {}) => ({ Delete: { TableName: 'Main', Key, ...more } });
const Check = (Key: Input, ConditionExpression: string, more: Input = {}) => ({
  ConditionCheck: { TableName: 'Main', Key, ConditionExpression, ...more },
});
const OTHER = { pk: 'b', sk: 1 };
const ALL_OLD = { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' };
const NEW = { ConditionExpression: 'attribute_not_exists(pk)' };

const keys = (count: number) => Array.from({ length: count }, (_, sk) => ({ pk: 'a', sk }));

export const TRANSACTIONS: readonly Scenario[] = [
  scenario(
    'a transaction writes everything',
    item({ a: 1 }),
    transact(
      Put(OTHER),
      Update('SET a = :a', { ':a': 2 }),
      Delete({ pk: 'c', sk: 1 }),
      Check({ pk: 'd', sk: 1 }, 'attribute_not_exists(pk)'),
    ),
  ),
  scenario(
    'one refused condition cancels everything',
    item({ a: 1 }),
    transact(Put(OTHER), Update('SET a = :a', { ':a': 2 }, { ConditionExpression: 'a > :a' })),
  ),
  scenario(
    'every refused item has its reason, with the item when asked',
    item({ a: 1 }),
    transact(
      Put(KEY, { ...NEW, ...ALL_OLD }),
      Check(OTHER, 'attribute_exists(pk)', ALL_OLD),
      Delete({ pk: 'c', sk: 1 }),
    ),
  ),
  scenario(
    'a failed check of another table',
    item({ a: 1 }),
    transact({ Put: { TableName: 'Hash', Item: { id: 'x' } } }, Check(KEY, 'attribute_not_exists(pk)')),
  ),
  scenario(
    'a transaction across tables',
    transact({ Put: { TableName: 'Hash', Item: { id: 'x' } } }, Put(KEY)),
    get({ TableName: 'Hash', Key: { id: 'x' } }),
  ),
  scenario('two operations on one item', transact(Put(KEY), Delete(KEY))),
  scenario('a check and a write of one item', transact(Check(KEY, 'attribute_not_exists(pk)'), Put(KEY))),
  scenario(
    'the same key in two tables',
    transact({ Put: { TableName: 'Hash', Item: { id: 'a' } } }, Put({ pk: 'a', sk: 1 })),
  ),
  scenario(
    'an update that makes the item too large',
    item({ body: 'x'.repeat(409_000) }),
    transact(Update('SET more = :m', { ':m': 'x'.repeat(1000) })),
  ),
  scenario('a put that is too large', transact(Put({ ...KEY, body: 'x'.repeat(409_600) }))),
  scenario('a put without its key', transact(Put({ pk: 'a' }))),
  scenario('a put with an empty key', transact(Put({ pk: '', sk: 1 }))),
  scenario('a put with a bad index key', transact(Put({ ...KEY, holder: 1 }))),
  scenario('a key of another type', transact(Delete({ pk: 1, sk: 1 }))),
  scenario('a syntax error', transact(Put(OTHER), Check(KEY, 'attribute_exists('))),
  scenario('an undefined value', transact(Update('SET a = :a', { ':b': 1 }))),
  scenario('an unused value', transact(Update('SET a = :a', { ':a': 1, ':b': 1 }))),
  scenario('an update of a key attribute', transact(Update('SET sk = :a', { ':a': 1 }))),
  scenario(
    'an unknown table in a transaction',
    put({ Item: KEY }),
    transact({ Put: { TableName: 'Unknown', Item: KEY } }),
  ),
  scenario('two operations in one element', transact({ ...Put(KEY), ...Delete(OTHER) })),
  scenario('no operation in an element', put({ Item: KEY }), transact({})),
  scenario('an empty transaction', put({ Item: KEY }), transact()),
  scenario('a transaction of 100 items', transact(...keys(100).map((key) => Put(key)))),
  scenario('a transaction of 101 items', transact(...keys(101).map((key) => Put(key)))),
  scenario('a transaction over 4 MB', transact(...keys(11).map((key) => Put({ ...key, body: 'x'.repeat(400_000) })))),
  scenario('a failed check of nothing brings no item', transact(Check(KEY, 'attribute_exists(pk)', ALL_OLD))),
  scenario(
    'the same token twice is one transaction',
    item({ n: 0 }),
    transactWith({ ClientRequestToken: 'token-1', TransactItems: [Update('ADD n :one', { ':one': 1 })] }),
    transactWith({ ClientRequestToken: 'token-1', TransactItems: [Update('ADD n :one', { ':one': 1 })] }),
  ),
  scenario(
    'the same token with other content is refused',
    item({ n: 0 }),
    transactWith({ ClientRequestToken: 'token-2', TransactItems: [Update('ADD n :one', { ':one': 1 })] }),
    transactWith({ ClientRequestToken: 'token-2', TransactItems: [Update('ADD n :one', { ':one': 2 })] }),
  ),
  scenario(
    'a cancelled transaction does not use its token up',
    item({ n: 0 }),
    transactWith({
      ClientRequestToken: 'token-3',
      TransactItems: [Update('ADD n :one', { ':one': 1 }, { ConditionExpression: 'n = :one' })],
    }),
    put({ Item: { ...KEY, n: 1 } }),
    transactWith({
      ClientRequestToken: 'token-3',
      TransactItems: [Update('ADD n :one', { ':one': 1 }, { ConditionExpression: 'n = :one' })],
    }),
  ),
];

export const BATCHES: readonly Scenario[] = [
  scenario(
    'a batch of writes with capacity',
    batchWrite({
      RequestItems: {
        Main: [{ PutRequest: { Item: { ...KEY, body: 'x'.repeat(2000) } } }, { PutRequest: { Item: OTHER } }],
      },
      ReturnConsumedCapacity: 'TOTAL',
    }),
  ),
  ...[false, true].map((ConsistentRead) =>
    scenario(
      `a batch of ${ConsistentRead ? 'consistent ' : ''}reads with capacity`,
      item({ body: 'x'.repeat(5000) }),
      put({ Item: OTHER }),
      batchGet({ RequestItems: { Main: { Keys: [KEY, OTHER], ConsistentRead } }, ReturnConsumedCapacity: 'TOTAL' }),
    ),
  ),
  scenario(
    'a batch of writes',
    item({ a: 1 }),
    batchWrite({
      RequestItems: {
        Main: [{ PutRequest: { Item: OTHER } }, { DeleteRequest: { Key: KEY } }],
        Hash: [{ PutRequest: { Item: { id: 'x' } } }],
      },
    }),
  ),
  scenario(
    'a batch with the same key twice',
    batchWrite({ RequestItems: { Main: [{ PutRequest: { Item: KEY } }, { DeleteRequest: { Key: KEY } }] } }),
  ),
  scenario(
    'a batch of 25 writes',
    batchWrite({ RequestItems: { Main: keys(25).map((Item) => ({ PutRequest: { Item } })) } }),
  ),
  scenario(
    'a batch of 26 writes',
    batchWrite({ RequestItems: { Main: keys(26).map((Item) => ({ PutRequest: { Item } })) } }),
  ),
  scenario(
    'an empty batch of writes',
    put({ Item: KEY }),
    batchWrite({ RequestItems: {} }),
    batchWrite({ RequestItems: { Main: [] } }),
  ),
  scenario(
    'a batch with a bad item writes nothing',
    batchWrite({ RequestItems: { Main: [{ PutRequest: { Item: KEY } }, { PutRequest: { Item: { pk: 'b' } } }] } }),
  ),
  scenario(
    'a batch with an item that is too large',
    batchWrite({
      RequestItems: {
        Main: [{ PutRequest: { Item: KEY } }, { PutRequest: { Item: { ...OTHER, body: 'x'.repeat(409_600) } } }],
      },
    }),
  ),
  scenario(
    'a batch with an unknown table',
    put({ Item: KEY }),
    batchWrite({ RequestItems: { Unknown: [{ PutRequest: { Item: KEY } }] } }),
  ),
  scenario(
    'a batch of reads',
    item({ a: 1 }),
    put({ TableName: 'Hash', Item: { id: 'x' } }),
    batchGet({ RequestItems: { Main: { Keys: [KEY, OTHER] }, Hash: { Keys: [{ id: 'x' }], ConsistentRead: true } } }),
  ),
  scenario(
    'a batch of reads with projection',
    item({ a: 1, b: { c: 1, d: 2 } }),
    batchGet({
      RequestItems: { Main: { Keys: [KEY], ProjectionExpression: '#b.c', ExpressionAttributeNames: { '#b': 'b' } } },
    }),
  ),
  scenario('a batch of reads with the same key twice', batchGet({ RequestItems: { Main: { Keys: [KEY, KEY] } } })),
  scenario('a batch of 100 reads', item({}), batchGet({ RequestItems: { Main: { Keys: keys(100) } } })),
  scenario('a batch of 101 reads', batchGet({ RequestItems: { Main: { Keys: keys(101) } } })),
  scenario(
    'an empty batch of reads',
    put({ Item: KEY }),
    batchGet({ RequestItems: {} }),
    batchGet({ RequestItems: { Main: { Keys: [] } } }),
  ),
  scenario('a batch of reads with a bad key', batchGet({ RequestItems: { Main: { Keys: [{ pk: 'a' }] } } })),
];
