// Capacity units by AWS's arithmetic. Source: Developer Guide, "DynamoDB read and write operations": a write unit is one
// write of up to 1 KB, a transactional write costs two; a read unit is one strongly consistent read of up to 4 KB, an
// eventually consistent one costs half. A write counts the larger of the item before and after, and every index that changes.

import type { ConsumedCapacity, ReturnConsumedCapacity } from '@aws-sdk/client-dynamodb';
import { projectIndexed } from './indexed.ts';
import { equalMaps } from './order.ts';
import { itemSize, KB } from './size.ts';
import type { StoredRecord } from './sorted-records.ts';
import { type Index, isIndexed, type Table } from './table.ts';

export interface WriteUnits {
  table: number;
  /** By index name; only those that changed. */
  indexes: Map<string, number>;
}

export const readUnits = (bytes: number, consistent: boolean): number =>
  Math.max(1, Math.ceil(bytes / (4 * KB))) * (consistent ? 1 : 0.5);

const unitsOf = (bytes: number): number => Math.max(1, Math.ceil(bytes / KB));

export function writeUnits(table: Table, before?: StoredRecord, after?: StoredRecord): WriteUnits {
  const indexes = new Map<string, number>();
  for (const index of table.indexes.values()) {
    const units = indexUnits(table, index, before, after);
    if (units > 0) indexes.set(index.schema.name, units);
  }
  return { table: unitsOf(Math.max(before?.sizeBytes ?? 0, after?.sizeBytes ?? 0)), indexes };
}

/** Source: Developer Guide, "Provisioned throughput considerations for global secondary indexes". */
function indexUnits(table: Table, index: Index, before?: StoredRecord, after?: StoredRecord): number {
  const old = before && isIndexed(index.schema, before.item) ? projectIndexed(index, before.item) : undefined;
  const next = after && isIndexed(index.schema, after.item) ? projectIndexed(index, after.item) : undefined;
  if (old && next) {
    if (equalMaps(old, next)) return 0;
    const keys = index.keyNames.filter((name) => !table.keyNames.includes(name));
    const moved = keys.some((name) => !equalMaps({ key: old[name] ?? null }, { key: next[name] ?? null }));
    return moved ? unitsOf(itemSize(old)) + unitsOf(itemSize(next)) : unitsOf(Math.max(itemSize(old), itemSize(next)));
  }
  if (!old && !next) return 0;
  return unitsOf(itemSize((old ?? next) as NonNullable<typeof old>));
}

/** Adds up what one request consumed, table by table, and shapes it as the response wants it. */
export class CapacityMeter {
  readonly #mode: ReturnConsumedCapacity | undefined;
  readonly #tables = new Map<string, { table: number; indexes: Map<string, number> }>();

  constructor(mode: ReturnConsumedCapacity | undefined) {
    this.#mode = mode;
  }

  /** Computing index units costs time: only when somebody asked. */
  get isAsked(): boolean {
    return this.#mode === 'TOTAL' || this.#mode === 'INDEXES';
  }

  addTable(name: string, units: number): void {
    this.#entry(name).table += units;
  }

  addIndex(table: string, index: string, units: number): void {
    const { indexes } = this.#entry(table);
    indexes.set(index, (indexes.get(index) ?? 0) + units);
  }

  addWrite(name: string, units: WriteUnits, factor = 1): void {
    this.addTable(name, units.table * factor);
    for (const [index, some] of units.indexes) this.addIndex(name, index, some * factor);
  }

  #entry(name: string) {
    let entry = this.#tables.get(name);
    if (!entry) {
      entry = { table: 0, indexes: new Map() };
      this.#tables.set(name, entry);
    }
    return entry;
  }

  /** For responses of one table. */
  single(): ConsumedCapacity | undefined {
    return this.list()?.[0];
  }

  /** For responses of several tables. */
  list(): ConsumedCapacity[] | undefined {
    if (!this.isAsked) return undefined;
    return [...this.#tables].map(([TableName, { table, indexes }]) => {
      const CapacityUnits = [...indexes.values()].reduce((sum, units) => sum + units, table);
      if (this.#mode === 'TOTAL') return { TableName, CapacityUnits };
      return {
        TableName,
        CapacityUnits,
        Table: { CapacityUnits: table },
        ...(indexes.size > 0 && {
          GlobalSecondaryIndexes: Object.fromEntries(
            [...indexes].map(([name, units]) => [name, { CapacityUnits: units }]),
          ),
        }),
      };
    });
  }
}
