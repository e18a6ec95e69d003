// Primary keys: extraction from items and requests, the checks that the server makes, and a stable order of partitions.
// Limits: Developer Guide, "Constraints": partition key 1 to 2,048 bytes, sort key 1 to 1,024 bytes.

import type { KeyAttribute, TableSchema } from '../table-schema.ts';
import { schemaFault, validationError } from './errors.ts';
import { sizeOf } from './size.ts';
import { copyIn, type Item, member, typeOf, type Value } from './values.ts';

const PARTITION_KEY_LIMIT_BYTES = 2048;
const SORT_KEY_LIMIT_BYTES = 1024;

/** A key that a key condition names must not be empty. */
export function checkNotEmpty(value: Value, { name, type }: KeyAttribute): void {
  if (type !== 'N' && sizeOf(value) === 0) throw emptyKey(name, type);
}

const emptyKey = (name: string, type: KeyAttribute['type']) =>
  validationError(
    `One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty ${type === 'S' ? 'string' : 'binary'} value. Key: ${name}`,
  );

/** A partition key as a Map key: binary becomes text. */
export type PartitionId = string | number | bigint;

export interface PrimaryKey {
  partition: PartitionId;
  sort: Value | undefined;
  /** The key's attributes alone. */
  attributes: Item;
}

export interface KeySchema {
  partitionKey: KeyAttribute;
  sortKey?: KeyAttribute;
}

export const keyNames = ({ partitionKey, sortKey }: KeySchema): string[] =>
  sortKey ? [partitionKey.name, sortKey.name] : [partitionKey.name];

export const partitionId = (value: Value): PartitionId =>
  value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : (value as PartitionId);

/** The key of an item that is about to be put. */
export function keyOfItem(schema: TableSchema, item: Item): PrimaryKey {
  const attributes: Item = {};
  for (const attribute of attributesOf(schema)) {
    const value = member(item, attribute.name);
    if (value === undefined) {
      throw validationError(`One or more parameter values were invalid: Missing the key ${attribute.name} in the item`);
    }
    if (typeOf(value) !== attribute.type) {
      throw schemaFault(
        `One or more parameter values were invalid: Type mismatch for key ${attribute.name} expected: ${attribute.type} actual: ${typeOf(value)}`,
      );
    }
    attributes[attribute.name] = value;
  }
  return checkedKey(schema, attributes);
}

/** A `Key` parameter: exactly the key's attributes. */
export function keyOfRequest(schema: TableSchema, raw: unknown): PrimaryKey {
  const given = (raw ?? {}) as Record<string, unknown>;
  const attributes: Item = {};
  const expected = attributesOf(schema);
  let count = 0;
  for (const name of Object.keys(given)) if (given[name] !== undefined) count += 1;
  if (count !== expected.length) throw validationError(MISMATCH);
  for (const { name, type } of expected) {
    if (!Object.hasOwn(given, name) || given[name] === undefined) throw validationError(MISMATCH);
    const value = copyIn(given[name]);
    if (typeOf(value) !== type) throw schemaFault(MISMATCH);
    attributes[name] = value;
  }
  return checkedKey(schema, attributes);
}

const MISMATCH = 'The provided key element does not match the schema';

const attributesOf = ({ partitionKey, sortKey }: KeySchema): KeyAttribute[] =>
  sortKey ? [partitionKey, sortKey] : [partitionKey];

function checkedKey({ partitionKey, sortKey }: TableSchema, attributes: Item): PrimaryKey {
  const partition = attributes[partitionKey.name] as Value;
  checkSize(
    partition,
    partitionKey,
    PARTITION_KEY_LIMIT_BYTES,
    'Size of hashkey has exceeded the maximum size limit of2048 bytes',
  );
  const sort = sortKey && (attributes[sortKey.name] as Value);
  if (sortKey) {
    checkSize(
      sort as Value,
      sortKey,
      SORT_KEY_LIMIT_BYTES,
      'Aggregated size of all range keys has exceeded the size limit of 1024 bytes',
    );
  }
  return { partition: partitionId(partition), sort, attributes };
}

function checkSize(value: Value, { name, type }: KeyAttribute, limit: number, message: string): void {
  if (type === 'N') return;
  const bytes = sizeOf(value);
  if (bytes === 0) throw emptyKey(name, type);
  if (bytes > limit) throw validationError(`One or more parameter values were invalid: ${message}`);
}

/** An order of partitions that looks random, like the server's: nobody may rely on scans being sorted. */
export function partitionHash(id: PartitionId): number {
  const text = String(id);
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  // Mixed once more (murmur3), so that short keys spread over all segments of a scan.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
