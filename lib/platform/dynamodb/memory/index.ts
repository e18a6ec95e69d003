// DynamoDB in memory: the same conditions, updates, limits and errors as the service, under an injected clock, without
// timers or randomness. An operation takes effect at the moment of the call and answers in a microtask. See ADR 0001.

import type { Clock } from '../../clock.ts';
import type { Dynamo } from '../port.ts';
import type { TableSchema } from '../table-schema.ts';
import { batchGet, batchWrite, type Readable } from './batch.ts';
import { resourceNotFound } from './errors.ts';
import { keyOfItem, keyOfRequest } from './keys.ts';
import { checkParameters, type RequestKind } from './parameters.ts';
import { query, scan } from './query-scan.ts';
import { Replica } from './replica.ts';
import { get, writeOne } from './single.ts';
import { type MemoryStreamRecord, streamRecordsOf } from './stream.ts';
import { type OnChange, recordOf, Table } from './table.ts';
import { type TokenLog, transactWrite } from './transact.ts';
import { copyItemIn, copyItemOut, type Item } from './values.ts';

export type { MemoryStreamRecord } from './stream.ts';

export interface MemoryDynamoOptions {
  /** The server's clock: stream times, tokens. */
  clock: Clock;
  tables: readonly TableSchema[];
  /** Called with the server's time after every answer, like the `Date` header of a response. */
  onResponse?: (serverNowMs: number) => void;
  /**
   * Asked at every eventually consistent read, indexes included: how old its view may be, in milliseconds. Views never go
   * back. @default every read sees every write
   */
  replicaLagMs?: (table: string) => number;
  /** For checks that watch every write, such as the simulation's. */
  onChange?: OnChange;
}

/** `Dynamo`, and what only a test may do: look inside, remove without a condition, read the DynamoDB stream. */
export interface MemoryDynamo extends Dynamo {
  createTable(schema: TableSchema): void;
  /** Copies of all items, in scan order; inside a partition by sort key. */
  items(table: string): Record<string, unknown>[];
  /**
   * Records with a sequence greater than `fromSequence` (0 = from the beginning); the first record has sequence 1, so that
   * the next call passes the number of records seen. What AWS would have trimmed is for the caller to leave out.
   */
  streamRecords(table: string, fromSequence: number, limit?: number): MemoryStreamRecord[];
  /** Removes an item, as a deletion by TTL when asked. False when it is not there. */
  removeItem(table: string, key: Record<string, unknown>, options?: { userIdentity?: 'ttl' }): boolean;
  /** Puts an item as it is, for damage that no request could do. Leaves a stream record like any write. */
  replaceItem(table: string, item: Record<string, unknown>): void;
}

export function createMemoryDynamo(options: MemoryDynamoOptions): MemoryDynamo {
  const { clock, onResponse, onChange, replicaLagMs } = options;
  const replicas = new Map<string, Replica>();
  const tables = new Map<string, Table>();
  const tokens: TokenLog = new Map();
  const find = (name: string | undefined): Table => {
    const table = tables.get(name ?? '');
    if (!table) throw resourceNotFound();
    return table;
  };
  const createTable = (schema: TableSchema): void => {
    const table = new Table(schema, onChange);
    tables.set(schema.name, table);
    if (replicaLagMs) {
      const replica = new Replica(schema);
      replicas.set(schema.name, replica);
      table.replica = replica;
    }
  };
  const readable: Readable = (name, { ConsistentRead }) => {
    const table = find(name);
    const replica = ConsistentRead === true ? undefined : replicas.get(table.schema.name);
    return replica ? replica.catchUp(clock.now() - (replicaLagMs?.(table.schema.name) ?? 0)) : table;
  };
  for (const schema of options.tables) createTable(schema);

  // The body runs before the caller goes on, so that operations take effect in the order of their calls.
  async function answer<T>(kind: RequestKind, input: object, run: () => unknown): Promise<T> {
    try {
      checkParameters(kind, input);
      return run() as T;
    } finally {
      onResponse?.(clock.now());
    }
  }

  return {
    get: (input) => answer('get', input, () => get(readable(input.TableName, input), input)),
    put: (input) =>
      answer('put', input, () => writeOne(find(input.TableName), { ...input, kind: 'put' }, input, clock.now())),
    update: (input) =>
      answer('update', input, () => writeOne(find(input.TableName), { ...input, kind: 'update' }, input, clock.now())),
    delete: (input) =>
      answer('delete', input, () => writeOne(find(input.TableName), { ...input, kind: 'delete' }, input, clock.now())),
    query: (input) => answer('query', input, () => query(readable(input.TableName, input), input)),
    scan: (input) => answer('scan', input, () => scan(readable(input.TableName, input), input)),
    batchGet: (input) => answer('batchGet', input, () => batchGet(readable, input)),
    batchWrite: (input) => answer('batchWrite', input, () => batchWrite(find, input, clock.now())),
    transactWrite: (input) => answer('transactWrite', input, () => transactWrite(find, input, clock.now(), tokens)),

    createTable,
    items: (name) =>
      find(name)
        .records.inScanOrder()
        .flatMap(({ records }) => records.map(({ item }) => copyItemOut(item))),
    streamRecords: (name, fromSequence, limit = Number.POSITIVE_INFINITY) =>
      streamRecordsOf(find(name), fromSequence, limit),
    removeItem(name, rawKey, { userIdentity } = {}) {
      const table = find(name);
      const key = keyOfRequest(table.schema, rawKey);
      const exists = table.get(key) !== undefined;
      table.write(key, undefined, clock.now(), userIdentity);
      return exists;
    },
    replaceItem(name, raw) {
      const table = find(name);
      const item: Item = copyItemIn(raw);
      table.write(keyOfItem(table.schema, item), recordOf(item), clock.now());
    },
  };
}
