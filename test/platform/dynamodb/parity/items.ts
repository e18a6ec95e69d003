// Items, keys and values: what may be stored, what comes back, limits, projections, and consumed capacity.

import { get, item, KEY, put, remove, type Scenario, scenario, update, withNames } from './scenario.ts';

const VALUES: readonly [string, unknown][] = [
  ['an empty string', ''],
  ['text with every kind of character', 'a"\\\n\u0000\u007fäß€𝄞'],
  ['bytes', new Uint8Array([0, 255])],
  ['empty bytes', new Uint8Array(0)],
  ['a negative zero', -0],
  ['a small number', 1.5e-6],
  ['a number with many digits', 0.1234567890123456],
  ['a large number', Number.MAX_SAFE_INTEGER],
  ['a large negative number', Number.MIN_SAFE_INTEGER],
  ['a bigint of 38 digits', 12345678901234567890123456789012345678n],
  ['a bigint of 39 digits', 123456789012345678901234567890123456789n],
  ['a bigint with many zeros', 10n ** 125n],
  ['a bigint that is too large', 10n ** 126n],
  ['a small bigint', 7n],
  ['NaN', Number.NaN],
  ['infinity', Number.POSITIVE_INFINITY],
  ['a number over the safe range', 2 ** 53],
  ['a number under the smallest', 1e-131],
  ['null', null],
  ['undefined', undefined],
  ['a boolean', false],
  ['a function', () => 1],
  ['a date', new Date(0)],
  ['a symbol-keyed map', { [Symbol('s')]: 1, a: 1 }],
  ['a Map', new Map<string, unknown>([['a', 1]])],
  ['a map with undefined', { a: undefined, b: [1, undefined, 2] }],
  ['a set of strings', new Set(['a', 'b'])],
  ['a set with an empty string', new Set([''])],
  ['a set of numbers', new Set([1, 2.5])],
  ['a set of bytes', new Set([new Uint8Array([1])])],
  ['a set with the same bytes twice', new Set([new Uint8Array([1]), new Uint8Array([1])])],
  ['an empty set', new Set()],
  ['a set of booleans', new Set([true])],
  ['an empty list', []],
  ['an empty map', {}],
  ['a map with an empty name', { '': 1 }],
  ['a nested list of 31 levels', nested(31)],
  ['a nested list of 32 levels', nested(32)],
  ['a nested list of 33 levels', nested(33)],
];

function nested(levels: number): unknown {
  let value: unknown = 'x';
  for (let i = 0; i < levels; i += 1) value = i % 2 ? [value] : { v: value };
  return value;
}

const KEYS: readonly [string, string, Record<string, unknown>][] = [
  ['no key at all', 'Main', {}],
  ['no sort key', 'Main', { pk: 'a' }],
  ['a key of another type', 'Main', { pk: 1, sk: 1 }],
  ['a sort key of another type', 'Main', { pk: 'a', sk: '1' }],
  ['an empty partition key', 'Main', { pk: '', sk: 1 }],
  ['a null key', 'Main', { pk: null, sk: 1 }],
  ['a partition key of 2,048 bytes', 'Main', { pk: 'x'.repeat(2048), sk: 1 }],
  ['a partition key of 2,049 bytes', 'Main', { pk: 'x'.repeat(2049), sk: 1 }],
  ['a multi-byte partition key of 2,049 bytes', 'Main', { pk: `x${'é'.repeat(1024)}`, sk: 1 }],
  ['an empty sort key', 'Numeric', { pk: 1, sk: '' }],
  ['a sort key of 1,024 bytes', 'Numeric', { pk: 1, sk: 'x'.repeat(1024) }],
  ['a sort key of 1,025 bytes', 'Numeric', { pk: 1, sk: 'x'.repeat(1025) }],
  ['a fractional number as key', 'Numeric', { pk: 1.5, sk: 'a' }],
  ['bytes as key', 'Binary', { pk: new Uint8Array([1]), sk: new Uint8Array([2, 3]) }],
  ['empty bytes as key', 'Binary', { pk: new Uint8Array(0), sk: new Uint8Array([2]) }],
  ['a string as key of bytes', 'Binary', { pk: 'a', sk: new Uint8Array([2]) }],
];

const indexKey = (attributes: Record<string, unknown>): Scenario =>
  scenario(`put with index key ${JSON.stringify(attributes)}`, item(attributes));

const projection = (expression: string, names?: Record<string, string>): Scenario =>
  scenario(
    `projection: ${expression}${withNames(names)}`,
    item({ a: 1, doc: { x: 1, y: [1, { z: 2 }, 3] }, rows1: [10, 20, 30] }),
    get({ Key: KEY, ProjectionExpression: expression, ...(names && { ExpressionAttributeNames: names }) }),
  );

/** 409,600 bytes with its key, names included: "pk" + "a" + "sk" + 1 (2 bytes) + "body". */
const FULL = 409_600 - 11;

export const ITEMS: readonly Scenario[] = [
  ...VALUES.map(([name, value]) =>
    scenario(`stores ${name} or refuses it`, item({ v: value }), get({ Key: KEY, ConsistentRead: true })),
  ),
  ...KEYS.flatMap(([name, TableName, key]) => [
    scenario(`put with ${name}`, put({ TableName, Item: { ...key, v: 1 } })),
    scenario(
      `get, update and delete with ${name}`,
      get({ TableName, Key: key }),
      update({ TableName, Key: key }),
      remove({ TableName, Key: key }),
    ),
  ]),
  scenario(
    'a key with an attribute too many',
    get({ Key: { ...KEY, more: 1 } }),
    remove({ Key: { pk: 'a', other: 1 } }),
  ),
  indexKey({ holder: 'x', grade: 1 }),
  indexKey({ holder: 1 }),
  indexKey({ holder: '' }),
  indexKey({ grade: 'x' }),
  indexKey({ kind: null }),
  scenario('an item of exactly 400 KB', item({ body: 'x'.repeat(FULL) })),
  scenario('an item of one byte more', item({ body: 'x'.repeat(FULL + 1) })),
  scenario('an item of 400 KB in multi-byte characters', item({ body: 'é'.repeat(FULL / 2 + 1) })),
  scenario(
    'an update over 400 KB',
    item({ body: 'x'.repeat(FULL) }),
    update({ Key: KEY, UpdateExpression: 'SET more = :m', ExpressionAttributeValues: { ':m': 1 } }),
  ),
  scenario(
    'put returns the old item',
    item({ a: 1 }),
    put({ Item: { ...KEY, a: 2 }, ReturnValues: 'ALL_OLD' }),
    put({ Item: { pk: 'b', sk: 1 }, ReturnValues: 'ALL_OLD' }),
  ),
  scenario(
    'delete returns the old item',
    item({ a: 1 }),
    remove({ Key: KEY, ReturnValues: 'ALL_OLD' }),
    remove({ Key: KEY, ReturnValues: 'ALL_OLD' }),
  ),
  scenario('a put of the same item leaves no stream record', item({ a: 1 }), item({ a: 1 })),
  scenario('a delete of nothing leaves no stream record', remove({ Key: KEY })),
  scenario('an unknown table', get({ TableName: 'Unknown', Key: KEY }), put({ TableName: 'Unknown', Item: KEY })),
  scenario('an item without a match is absent', get({ Key: KEY })),

  projection('a'),
  projection('a, doc.x'),
  projection('doc.y[1].z'),
  projection('doc.y[2], doc.y[0]'),
  projection('rows1[5]'),
  projection('doc.absent'),
  projection('absent'),
  projection('a.b'),
  projection('#a, doc.#x', { '#a': 'a', '#x': 'x' }),
  projection('doc, doc.x'),
  projection('a, a'),
  projection('doc.x, doc[0]'),
  projection('rows1[0], rows1[0].a'),
  projection('name'),
  projection('a,'),
  projection(''),
  projection('a b'),
  projection(':a'),
  projection('#a', {}),
  projection('a', { '#b': 'b' }),
];

const CAPACITY = ['TOTAL', 'INDEXES', 'NONE'] as const;

export const CAPACITIES: readonly Scenario[] = CAPACITY.flatMap((ReturnConsumedCapacity) => [
  scenario(
    `capacity ${ReturnConsumedCapacity} of writes`,
    put({ Item: { ...KEY, body: 'x'.repeat(3000) }, ReturnConsumedCapacity }),
    put({ Item: { ...KEY, body: 'x' }, ReturnConsumedCapacity }),
    update({
      Key: KEY,
      UpdateExpression: 'SET body = :b',
      ExpressionAttributeValues: { ':b': 'x'.repeat(1500) },
      ReturnConsumedCapacity,
    }),
    remove({ Key: KEY, ReturnConsumedCapacity }),
    remove({ Key: KEY, ReturnConsumedCapacity }),
  ),
  scenario(
    `capacity ${ReturnConsumedCapacity} of writes with indexes`,
    put({ Item: { ...KEY, holder: 'h', grade: 1, body: 'x'.repeat(1500) }, ReturnConsumedCapacity }),
    put({ Item: { ...KEY, holder: 'h', grade: 2, body: 'x'.repeat(1500) }, ReturnConsumedCapacity }),
    put({ Item: { ...KEY, holder: 'h', grade: 2, body: 'y' }, ReturnConsumedCapacity }),
    update({
      Key: KEY,
      UpdateExpression: 'SET kind = :k',
      ExpressionAttributeValues: { ':k': 'x' },
      ReturnConsumedCapacity,
    }),
    update({
      Key: KEY,
      UpdateExpression: 'SET other = :k',
      ExpressionAttributeValues: { ':k': 'x' },
      ReturnConsumedCapacity,
    }),
    update({ Key: KEY, UpdateExpression: 'REMOVE holder', ReturnConsumedCapacity }),
    remove({ Key: KEY, ReturnConsumedCapacity }),
  ),
  scenario(
    `capacity ${ReturnConsumedCapacity} of gets`,
    item({ body: 'x'.repeat(9000) }),
    get({ Key: KEY, ReturnConsumedCapacity }),
    get({ Key: KEY, ConsistentRead: true, ReturnConsumedCapacity }),
    get({ Key: KEY, ProjectionExpression: 'pk', ReturnConsumedCapacity }),
    get({ Key: { pk: 'none', sk: 1 }, ReturnConsumedCapacity }),
    get({ Key: { pk: 'none', sk: 1 }, ConsistentRead: true, ReturnConsumedCapacity }),
  ),
]);
