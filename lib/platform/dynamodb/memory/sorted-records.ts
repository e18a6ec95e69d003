// Records in partitions, each partition in sort order. One of these holds a table, one each of its indexes. A position
// is found by comparing keys, so that paging continues correctly even when the last key was deleted meanwhile.

import { type PartitionId, partitionHash } from './keys.ts';
import { compare } from './order.ts';
import type { Item, Value } from './values.ts';

/** A stored item. Immutable: a write puts another one in its place. */
export interface StoredRecord {
  item: Item;
  sizeBytes: number;
}

/** What orders a record inside its partition: sort key first, then (in indexes) the table's own key. */
export type SortTuple = readonly Value[];

export interface Partition {
  id: PartitionId;
  hash: number;
  records: StoredRecord[];
}

export class SortedRecords {
  readonly partitions = new Map<PartitionId, Partition>();
  readonly tupleOf: (item: Item) => SortTuple;
  #order: Partition[] | undefined;

  constructor(tupleOf: (item: Item) => SortTuple) {
    this.tupleOf = tupleOf;
  }

  get(id: PartitionId, tuple: SortTuple): StoredRecord | undefined {
    const partition = this.partitions.get(id);
    if (!partition) return undefined;
    const at = this.lowerBound(partition, tuple);
    const record = partition.records[at];
    return record && compareTuples(this.tupleOf(record.item), tuple) === 0 ? record : undefined;
  }

  /** Puts or replaces. */
  set(id: PartitionId, record: StoredRecord): void {
    const tuple = this.tupleOf(record.item);
    let partition = this.partitions.get(id);
    if (!partition) {
      partition = { id, hash: partitionHash(id), records: [] };
      this.partitions.set(id, partition);
      this.#order = undefined;
    }
    const { records } = partition;
    const at = this.lowerBound(partition, tuple);
    const there = records[at];
    if (there === undefined) records.push(record);
    else if (compareTuples(this.tupleOf(there.item), tuple) === 0) records[at] = record;
    else records.splice(at, 0, record);
  }

  delete(id: PartitionId, tuple: SortTuple): void {
    const partition = this.partitions.get(id);
    if (!partition) return;
    const at = this.lowerBound(partition, tuple);
    const record = partition.records[at];
    if (!record || compareTuples(this.tupleOf(record.item), tuple) !== 0) return;
    partition.records.splice(at, 1);
    if (partition.records.length === 0) {
      this.partitions.delete(id);
      this.#order = undefined;
    }
  }

  /** Index of the first record that is not before `tuple`. A shorter tuple is before all that it begins. */
  lowerBound({ records }: Partition, tuple: SortTuple): number {
    const last = records.at(-1);
    // Appends go to the end nearly always.
    if (last && compareTuples(this.tupleOf(last.item), tuple) < 0) return records.length;
    return this.#search(records, (record) => compareTuples(this.tupleOf(record.item), tuple) < 0);
  }

  /** Index of the first record after `tuple` and after everything that `tuple` begins. */
  upperBound({ records }: Partition, tuple: SortTuple): number {
    return this.#search(records, (record) => comparePrefix(this.tupleOf(record.item), tuple) <= 0);
  }

  #search(records: readonly StoredRecord[], isBefore: (record: StoredRecord) => boolean): number {
    let low = 0;
    let high = records.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBefore(records[middle] as StoredRecord)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** All partitions in scan order. */
  inScanOrder(): readonly Partition[] {
    this.#order ??= [...this.partitions.values()].sort(
      (a, b) => a.hash - b.hash || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0),
    );
    return this.#order;
  }
}

export function compareTuples(a: SortTuple, b: SortTuple): number {
  return comparePrefix(a, b) || a.length - b.length;
}

function comparePrefix(a: SortTuple, b: SortTuple): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    const order = compare(a[i] as Value, b[i] as Value) ?? 0;
    if (order !== 0) return order;
  }
  return 0;
}
