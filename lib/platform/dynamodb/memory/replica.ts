// What eventually consistent reads and indexes see: the table as it was a while ago. Writes arrive here in their order and
// after a delay, so that code which needs ConsistentRead and does not ask for it fails in a test, as it would on AWS.

import type { TableSchema } from '../table-schema.ts';
import type { PrimaryKey } from './keys.ts';
import type { StoredRecord } from './sorted-records.ts';
import { Table } from './table.ts';

interface Pending {
  key: PrimaryKey;
  after: StoredRecord | undefined;
  atMs: number;
}

export class Replica {
  readonly table: Table;
  #pending: Pending[] = [];

  constructor({ stream, ...schema }: TableSchema) {
    this.table = new Table(schema);
  }

  note(key: PrimaryKey, after: StoredRecord | undefined, atMs: number): void {
    this.#pending.push({ key, after, atMs });
  }

  /** Applies every write up to that time. It never goes back. */
  catchUp(untilMs: number): Table {
    let applied = 0;
    for (const { key, after, atMs } of this.#pending) {
      if (atMs > untilMs) break;
      this.table.write(key, after, atMs);
      applied += 1;
    }
    if (applied > 0) this.#pending = this.#pending.slice(applied);
    return this.table;
  }
}
