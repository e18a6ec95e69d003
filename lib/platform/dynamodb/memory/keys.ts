// Primary keys: extraction from items and requests, the checks that the server makes, and a stable order of partitions.
// Limits: Developer Guide, "Constraints": partition key 1 to 2,048 bytes, sort key 1 to 1,024 bytes.

import type { KeyAttribute, TableSchema } from '../table-schema.ts';
import { validationError } from './errors.ts';
import { sizeOf } from './size.ts';
import { copyIn, type Item, member, typeOf, type Value } from './values.ts';

const PARTITION_KEY_LIMIT_BYTES = 2048;
const SORT_KEY_LIMIT_BYTES = 1024;

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
      throw validationError(
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
  const names = Object.keys(given).filter((name) => given[name] !== undefined);
  const expected = attributesOf(schema);
  const matches =
    names.length === expected.length &&
    expected.every((attribute) => {
      if (!Object.hasOwn(given, attribute.name) || given[attribute.name] === undefined) return false;
      const value = copyIn(given[attribute.name]);
      attributes[attribute.name] = value;
      return typeOf(value) === attribute.type;
    });
  if (!matches) throw validationError('The provided key element does not match the schema');
  return checkedKey(schema, attributes);
}

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
  if (bytes === 0) {
    throw validationError(
      `One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty ${type === 'S' ? 'string' : 'binary'} value. Key: ${name}`,
    );
  }
  if (bytes > limit) throw validationError(`One or more parameter values were invalid: ${message}`);
}

/** An order of partitions that looks random, like the server's: nobody may rely on scans being sorted. */
export function partitionHash(id: PartitionId): number {
  const text = String(id);
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}
