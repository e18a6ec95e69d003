// One table: its records, its indexes, its DynamoDB stream. `write` is the only way to change it and keeps all three in
// step. Indexes are consistent at once, AWS's are not: `replica` takes every write for reads that may be late.

import type { IndexSchema, TableSchema } from '../table-schema.ts';
import { keyNames, type PrimaryKey, partitionId } from './keys.ts';
import { equalMaps } from './order.ts';
import { itemSize } from './size.ts';
import { SortedRecords, type SortTuple, type StoredRecord } from './sorted-records.ts';
import { type Item, member, typeOf, type Value } from './values.ts';

/** A change as the stream keeps it; images are shared with the table, because stored items never change. */
export interface StreamEntry {
  sequence: number;
  atMs: number;
  keys: Item;
  before?: Item;
  after?: Item;
  userIdentity?: 'ttl';
}

export interface Index {
  schema: IndexSchema;
  records: SortedRecords;
  /** The table's key and the index's key: what LastEvaluatedKey holds, and all of a KEYS_ONLY projection. */
  keyNames: readonly string[];
}

/** Called at the moment of every change, inside a transaction once per item. Images are shared: look, do not touch. */
export type OnChange = (table: string, before: Item | undefined, after: Item | undefined) => void;

/** Takes every write for later. */
export interface WriteLog {
  note(key: PrimaryKey, after: StoredRecord | undefined, atMs: number): void;
}

export class Table {
  readonly schema: TableSchema;
  readonly #onChange: OnChange | undefined;
  readonly keyNames: readonly string[];
  readonly records: SortedRecords;
  readonly indexes: ReadonlyMap<string, Index>;
  readonly stream: StreamEntry[] = [];
  replica: WriteLog | undefined;
  #nextSequence = 1;

  constructor(schema: TableSchema, onChange?: OnChange) {
    this.schema = schema;
    this.#onChange = onChange;
    this.keyNames = keyNames(schema);
    const sortName = schema.sortKey?.name;
    this.records = new SortedRecords((item) => (sortName === undefined ? [] : [item[sortName] as Value]));
    this.indexes = new Map((schema.indexes ?? []).map((index) => [index.name, this.#index(index)]));
  }

  #index(schema: IndexSchema): Index {
    const names = [...new Set([...keyNames(schema), ...this.keyNames])];
    const tupleNames = [...(schema.sortKey ? [schema.sortKey.name] : []), ...this.keyNames];
    const tupleOf = (item: Item): SortTuple => tupleNames.map((name) => item[name] as Value);
    return { schema, records: new SortedRecords(tupleOf), keyNames: names };
  }

  get(key: PrimaryKey): StoredRecord | undefined {
    return this.records.get(key.partition, key.sort === undefined ? [] : [key.sort]);
  }

  /** Puts `after`, or removes the item when it is undefined. A change that changes nothing leaves no stream record. */
  write(key: PrimaryKey, after: StoredRecord | undefined, atMs: number, userIdentity?: 'ttl'): void {
    const before = this.get(key);
    if (!before && !after) return;
    if (after) this.records.set(key.partition, after);
    else this.records.delete(key.partition, key.sort === undefined ? [] : [key.sort]);
    for (const index of this.indexes.values()) moveInIndex(index, before, after);
    this.replica?.note(key, after, atMs);
    this.#onChange?.(this.schema.name, before?.item, after?.item);
    if (this.schema.stream && !(before && after && equalMaps(before.item, after.item))) {
      this.stream.push({
        sequence: this.#nextSequence,
        atMs,
        keys: key.attributes,
        ...(before && { before: before.item }),
        ...(after && { after: after.item }),
        ...(userIdentity && { userIdentity }),
      });
      this.#nextSequence += 1;
    }
  }
}

export const recordOf = (item: Item): StoredRecord => ({ item, sizeBytes: itemSize(item) });

function moveInIndex({ schema, records }: Index, before?: StoredRecord, after?: StoredRecord): void {
  const { name } = schema.partitionKey;
  if (before && isIndexed(schema, before.item)) {
    records.delete(partitionId(before.item[name] as Value), records.tupleOf(before.item));
  }
  if (after && isIndexed(schema, after.item)) {
    records.set(partitionId(after.item[name] as Value), after);
  }
}

/** An item without the index's key attributes is not in the index. */
export function isIndexed({ partitionKey, sortKey }: IndexSchema, item: Item): boolean {
  return hasKey(item, partitionKey) && (!sortKey || hasKey(item, sortKey));
}

function hasKey(item: Item, { name, type }: { name: string; type: string }): boolean {
  const value = member(item, name);
  return value !== undefined && typeOf(value) === type;
}
