// Key attributes of global secondary indexes: an item may lack them (then it is not in the index), but they must not be of
// another type or empty.

import type { IndexSchema, KeyAttribute } from '../table-schema.ts';
import { schemaFault } from './errors.ts';
import type { Table } from './table.ts';
import { type Item, member, typeOf, type Value } from './values.ts';

export function checkIndexKeys(table: Table, item: Item, operation: 'put' | 'update'): void {
  for (const { schema } of table.indexes.values()) {
    checkIndexKey(schema, schema.partitionKey, item, operation);
    if (schema.sortKey) checkIndexKey(schema, schema.sortKey, item, operation);
  }
}

function checkIndexKey(
  index: IndexSchema,
  { name, type }: KeyAttribute,
  item: Item,
  operation: 'put' | 'update',
): void {
  const value = member(item, name);
  if (value === undefined) return;
  const actual = typeOf(value);
  if (actual !== type) throw schemaFault(mismatch(index, name, type, actual, operation));
  if (isEmpty(value)) throw schemaFault(empty(index, name, type, operation));
}

const mismatch = (
  index: IndexSchema,
  name: string,
  type: string,
  actual: string,
  operation: 'put' | 'update',
): string =>
  operation === 'update'
    ? 'The update expression attempted to update the secondary index key to unsupported type'
    : `One or more parameter values were invalid: Type mismatch for Index Key ${name} Expected: ${type} Actual: ${actual} IndexName: ${index.name}`;

function empty(index: IndexSchema, name: string, type: string, operation: 'put' | 'update'): string {
  const kind = type === 'S' ? 'string' : 'binary';
  const cannot = `The AttributeValue for a key attribute cannot contain an empty ${kind} value.`;
  return operation === 'update'
    ? `One or more parameter values are not valid. The update expression attempted to update a secondary index key to a value that is not supported. ${cannot}`
    : `One or more parameter values are not valid. A value specified for a secondary index key is not supported. ${cannot} IndexName: ${index.name}, IndexKey: ${name}`;
}

const isEmpty = (value: Value): boolean =>
  (typeof value === 'string' || value instanceof Uint8Array) && value.length === 0;
