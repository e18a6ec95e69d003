// Queries and scans: key conditions, order, paging, filters, projections, indexes, counting, capacity.

import { batchWrite, put, query, remove, type Scenario, type Step, scan, scenario } from './scenario.ts';

/** Versions 1 to 6 of "a", two items of "b"; some in the indexes. */
const GIVEN: Step = batchWrite({
  RequestItems: {
    Main: [
      ...[3, 1, 2, 6, 5, 4].map((sk) => ({
        PutRequest: {
          Item: {
            pk: 'a',
            sk,
            v: sk * 10,
            ...(sk % 2 && { holder: 'odd', grade: 7 - sk }),
            ...(sk > 3 && { kind: 'big' }),
          },
        },
      })),
      { PutRequest: { Item: { pk: 'b', sk: 1, holder: 'odd', grade: 3, kind: 'big' } } },
      { PutRequest: { Item: { pk: 'b', sk: 2, holder: 'odd', grade: 1 } } },
    ],
  },
});

const TEXTS: Step = batchWrite({
  RequestItems: {
    Numeric: ['a', 'ab', 'abc', 'b', 'Z', 'é', '\uffff', '\u{1f600}', 'a\u0000'].map((sk) => ({
      PutRequest: { Item: { pk: 1, sk } },
    })),
  },
});
const NUMBERS: Step = batchWrite({
  RequestItems: {
    Main: [-10, -9, 0, 0.5, 9, 10, 100, 1e20 - 1e20, 1e-5, 123456789]
      .filter((sk, i, all) => all.indexOf(sk) === i)
      .map((sk) => ({ PutRequest: { Item: { pk: 'n', sk } } })),
  },
});
const BYTES: Step = batchWrite({
  RequestItems: {
    Binary: [[1], [1, 0], [2], [127], [128], [255]].map((bytes) => ({
      PutRequest: { Item: { pk: new Uint8Array([9]), sk: new Uint8Array(bytes) } },
    })),
  },
});

type Input = Record<string, unknown>;

const where = (expression: string, values: Input, more: Input = {}): Scenario =>
  scenario(
    `query: ${expression} ${JSON.stringify(values)} ${JSON.stringify(more)}`,
    GIVEN,
    query({ KeyConditionExpression: expression, ExpressionAttributeValues: values, ...more }),
  );

const texts = (expression: string, values: Input, more: Input = {}): Scenario =>
  scenario(
    `query of texts: ${expression} ${JSON.stringify(values)} ${JSON.stringify(more)}`,
    TEXTS,
    query({ TableName: 'Numeric', KeyConditionExpression: expression, ExpressionAttributeValues: values, ...more }),
  );

const owner = (more: Input): Scenario => where('holder = :h', { ':h': 'odd' }, { IndexName: 'byOwner', ...more });

export const READS: readonly Scenario[] = [
  where('pk = :p', { ':p': 'a' }),
  where('pk = :p', { ':p': 'none' }),
  where('pk = :p', { ':p': 'a' }, { ScanIndexForward: false }),
  where('pk = :p', { ':p': 'a' }, { ScanIndexForward: false, Limit: 1, ConsistentRead: true }),
  where('pk = :p', { ':p': 'a' }, { Limit: 2 }),
  where('pk = :p', { ':p': 'a' }, { Limit: 6 }),
  where('pk = :p', { ':p': 'a' }, { Limit: 7 }),
  where('pk = :p', { ':p': 'a' }, { Limit: 0 }),
  where('pk = :p', { ':p': 'a' }, { ExclusiveStartKey: { pk: 'a', sk: 2 } }),
  where('pk = :p', { ':p': 'a' }, { ExclusiveStartKey: { pk: 'a', sk: 2.5 }, Limit: 1 }),
  where('pk = :p', { ':p': 'a' }, { ExclusiveStartKey: { pk: 'a', sk: 5 }, ScanIndexForward: false, Limit: 2 }),
  where('pk = :p', { ':p': 'a' }, { ExclusiveStartKey: { pk: 'b', sk: 1 } }),
  where('pk = :p', { ':p': 'a' }, { ExclusiveStartKey: { pk: 'a' } }),
  where('pk = :p', { ':p': 'a' }, { ExclusiveStartKey: { pk: 'a', sk: 'x' } }),
  where('pk = :p', { ':p': 'a' }, { ExclusiveStartKey: {} }),
  where('pk = :p', { ':p': 'a' }, { Select: 'COUNT' }),
  where('pk = :p', { ':p': 'a' }, { Select: 'COUNT', Limit: 2 }),
  where('pk = :p', { ':p': 'a' }, { Select: 'ALL_ATTRIBUTES' }),
  where('pk = :p', { ':p': 'a' }, { Select: 'SPECIFIC_ATTRIBUTES' }),
  where('pk = :p', { ':p': 'a' }, { Select: 'SPECIFIC_ATTRIBUTES', ProjectionExpression: 'v' }),
  where('pk = :p', { ':p': 'a' }, { Select: 'ALL_PROJECTED_ATTRIBUTES' }),
  where('pk = :p', { ':p': 'a' }, { Select: 'COUNT', ProjectionExpression: 'v' }),
  where('pk = :p', { ':p': 'a' }, { Select: 'EVERYTHING' }),
  where('pk = :p', { ':p': 'a' }, { ProjectionExpression: 'sk' }),
  where('pk = :p', { ':p': 'a' }, { IndexName: 'none' }),
  where('pk = :p', { ':p': 'a' }, { ReturnConsumedCapacity: 'TOTAL' }),
  where('pk = :p', { ':p': 'a' }, { ReturnConsumedCapacity: 'INDEXES', ConsistentRead: true }),
  where('pk = :p AND v = :v', { ':p': 'a', ':v': 20 }),
  where('pk = :p', { ':p': 'a', ':v': 20 }, { FilterExpression: 'v > :v' }),
  where('pk = :p', { ':p': 'a', ':v': 20 }, { FilterExpression: 'v > :v', Limit: 3 }),
  where('pk = :p', { ':p': 'a', ':v': 999 }, { FilterExpression: 'v > :v', Limit: 3 }),
  where('pk = :p', { ':p': 'a', ':v': 20 }, { FilterExpression: 'v > :v', Select: 'COUNT' }),
  where('pk = :p', { ':p': 'a', ':v': 2 }, { FilterExpression: 'sk > :v' }),
  where('pk = :p', { ':p': 'a', ':v': 'x' }, { FilterExpression: 'attribute_exists(v) AND pk = :v' }),
  ...['=', '<', '<=', '>', '>=', '<>'].flatMap((comparator) => [
    where(`pk = :p AND sk ${comparator} :s`, { ':p': 'a', ':s': 3 }),
    where(`pk = :p AND sk ${comparator} :s`, { ':p': 'a', ':s': 3.5 }, { ScanIndexForward: false }),
  ]),
  where('sk > :s AND pk = :p', { ':p': 'a', ':s': 3 }),
  where('pk = :p AND sk BETWEEN :a AND :b', { ':p': 'a', ':a': 2, ':b': 4 }),
  where('pk = :p AND sk BETWEEN :a AND :b', { ':p': 'a', ':a': 4, ':b': 2 }),
  where('pk = :p AND (sk BETWEEN :a AND :b)', { ':p': 'a', ':a': 2, ':b': 4 }),
  where('(pk = :p) AND (sk > :a)', { ':p': 'a', ':a': 2 }),
  where('pk = :p AND begins_with(sk, :s)', { ':p': 'a', ':s': 'x' }),
  where('pk = :p AND begins_with(sk, :s)', { ':p': 'a', ':s': 1 }),
  where('pk = :p AND sk > :a AND sk < :b', { ':p': 'a', ':a': 2, ':b': 5 }),
  where('pk = :p OR pk = :q', { ':p': 'a', ':q': 'b' }),
  where('NOT pk = :p', { ':p': 'a' }),
  where('pk IN (:p)', { ':p': 'a' }),
  where('pk > :p', { ':p': 'a' }),
  where('begins_with(pk, :p)', { ':p': 'a' }),
  where('sk = :s', { ':s': 1 }),
  where('pk = :p AND pk = :q', { ':p': 'a', ':q': 'b' }),
  where('pk = :p', { ':p': 1 }),
  where('pk = :p AND sk = :s', { ':p': 'a', ':s': '1' }),
  where('pk = :p AND size(sk) = :s', { ':p': 'a', ':s': 1 }),
  where('attribute_exists(pk) AND pk = :p', { ':p': 'a' }),
  where(':p = pk', { ':p': 'a' }),
  where('pk = sk', {}),
  where('pk.x = :p', { ':p': 'a' }),
  where('pk = :p', { ':p': '' }),
  where('pk = :p', { ':q': 'a' }),
  where('', { ':p': 'a' }),
  where('pk = :p AND sk > :s', { ':p': 'a', ':s': 3 }, { ExclusiveStartKey: { pk: 'a', sk: 1 } }),
  scenario('query without a key condition', query({})),
  scenario(
    'a start key that was deleted meanwhile',
    GIVEN,
    remove({ Key: { pk: 'a', sk: 3 } }),
    query({
      KeyConditionExpression: 'pk = :p',
      ExpressionAttributeValues: { ':p': 'a' },
      ExclusiveStartKey: { pk: 'a', sk: 3 },
    }),
  ),

  texts('pk = :p', { ':p': 1 }),
  texts('pk = :p', { ':p': 1 }, { ScanIndexForward: false }),
  texts('pk = :p AND begins_with(sk, :s)', { ':p': 1, ':s': 'ab' }),
  texts('pk = :p AND begins_with(sk, :s)', { ':p': 1, ':s': 'a' }, { ScanIndexForward: false, Limit: 2 }),
  texts('pk = :p AND begins_with(sk, :s)', { ':p': 1, ':s': '' }),
  texts('pk = :p AND sk > :s', { ':p': 1, ':s': 'é' }),
  scenario(
    'numbers are ordered by value',
    NUMBERS,
    query({ KeyConditionExpression: 'pk = :p', ExpressionAttributeValues: { ':p': 'n' } }),
  ),
  scenario(
    'bytes are ordered unsigned',
    BYTES,
    query({
      TableName: 'Binary',
      KeyConditionExpression: 'pk = :p',
      ExpressionAttributeValues: { ':p': new Uint8Array([9]) },
    }),
  ),
  scenario(
    'bytes by prefix',
    BYTES,
    query({
      TableName: 'Binary',
      KeyConditionExpression: 'pk = :p AND begins_with(sk, :s)',
      ExpressionAttributeValues: { ':p': new Uint8Array([9]), ':s': new Uint8Array([1]) },
    }),
  ),

  owner({}),
  owner({ ScanIndexForward: false }),
  owner({ Limit: 1 }),
  owner({ ConsistentRead: true }),
  owner({ ReturnConsumedCapacity: 'INDEXES' }),
  owner({ ExclusiveStartKey: { pk: 'b', sk: 1, holder: 'odd', grade: 3 } }),
  owner({ ExclusiveStartKey: { pk: 'b', sk: 1 } }),
  owner({ Select: 'ALL_PROJECTED_ATTRIBUTES' }),
  where('holder = :h AND grade > :g', { ':h': 'odd', ':g': 3 }, { IndexName: 'byOwner' }),
  where('kind = :k', { ':k': 'big' }, { IndexName: 'byKind', Select: 'COUNT' }),
  where('kind = :k', { ':k': 'big' }, { IndexName: 'byKind', Select: 'ALL_ATTRIBUTES' }),
  where('kind = :k', { ':k': 'big' }, { IndexName: 'byKind', ProjectionExpression: 'v' }),
  where('kind = :k', { ':k': 'big', ':v': 1 }, { IndexName: 'byKind', FilterExpression: 'v = :v' }),
  scenario(
    'keys-only index',
    put({ Item: { pk: 'a', sk: 1, kind: 'k', more: 1 } }),
    query({
      IndexName: 'byKind',
      KeyConditionExpression: 'kind = :k',
      ExpressionAttributeValues: { ':k': 'k' },
      ReturnConsumedCapacity: 'INDEXES',
    }),
  ),

  scenario('scan of everything', GIVEN, scan({})),
  scenario('scan of an index', GIVEN, scan({ IndexName: 'byKind' }), scan({ IndexName: 'byOwner' })),
  scenario('scan with filter', GIVEN, scan({ FilterExpression: 'v > :v', ExpressionAttributeValues: { ':v': 20 } })),
  scenario(
    'scan that filters by key',
    GIVEN,
    scan({ FilterExpression: 'sk > :v AND pk = :p', ExpressionAttributeValues: { ':v': 2, ':p': 'a' } }),
  ),
  scenario('scan that counts', GIVEN, scan({ Select: 'COUNT', ReturnConsumedCapacity: 'TOTAL' })),
  scenario('scan with capacity', GIVEN, scan({ ConsistentRead: true, ReturnConsumedCapacity: 'INDEXES' })),
  scenario('scan of an empty table', scan({})),
  scenario('scan with projection', GIVEN, scan({ ProjectionExpression: 'pk, v' })),
  scenario(
    'scan with a bad segment',
    scan({ Segment: 1 }),
    scan({ TotalSegments: 2 }),
    scan({ Segment: 2, TotalSegments: 2 }),
  ),
  scenario(
    'scan with bad values',
    scan({ Limit: 0 }),
    scan({ FilterExpression: 'v > :v' }),
    scan({ ExclusiveStartKey: { pk: 1, sk: 1 } }),
    scan({ IndexName: 'byKind', ConsistentRead: true }),
  ),

  scenario(
    'a page of 1 MB, and the next',
    ...[1, 2, 3, 4, 5, 6].map((sk) => put({ Item: { pk: 'a', sk, body: 'x'.repeat(300_000) } })),
    query({
      KeyConditionExpression: 'pk = :p',
      ExpressionAttributeValues: { ':p': 'a' },
      Select: 'COUNT',
      ReturnConsumedCapacity: 'TOTAL',
    }),
    query({
      KeyConditionExpression: 'pk = :p',
      ExpressionAttributeValues: { ':p': 'a' },
      Select: 'COUNT',
      ExclusiveStartKey: { pk: 'a', sk: 3 },
    }),
    scan({ Select: 'COUNT' }),
  ),
  scenario(
    'a page of exactly 1 MB',
    ...[1, 2, 3, 4, 5].map((sk) => put({ Item: { pk: 'a', sk, body: 'x'.repeat(262_144 - 11) } })),
    query({ KeyConditionExpression: 'pk = :p', ExpressionAttributeValues: { ':p': 'a' }, Select: 'COUNT' }),
  ),
];
