// Restores in the Recovery table: `restore` / `<id>` is one restore from its plan to its end, `restore#<id>` / `<streamId>` what
// is to be done in each stream, `restore-open` the ids of those that are not finished, `restore-forks` / `<streamId>` commits that
// made way in a stream and are not appended again yet, whichever restore put them aside.

import { cancellation, isConditionFailed } from '../../platform/dynamodb/failures.ts';
import { queryAll } from '../../platform/dynamodb/pages.ts';
import type { Dynamo, Write } from '../../platform/dynamodb/port.ts';
import type { DirectoryRepair } from './slots.ts';

const FORMAT = 1;
const PARTITION = 'restore';
const OPEN_PARTITION = 'restore-open';
const FORKS_PARTITION = 'restore-forks';

export type RestoreStatus =
  /** Nothing was done yet. */
  | 'planned'
  /** Copies are being looked up in the archive, or the side table is being made. */
  | 'fetching'
  | 'writing'
  /** The side table is being dropped. */
  | 'cleaning'
  | 'done'
  /** It cannot go on; `note` says why. */
  | 'failed'
  | 'cancelled';

export type RestoreSource = 'archive' | 'point-in-time';

/** An item that is overwritten or removed: what an approval is for. */
export interface PlannedChange {
  version: number;
  action:
    | 'overwrite'
    | 'remove'
    /** Overwritten when a copy of a commit at this version is found, removed when the copies leave no place for it, or it has none. */
    | 'overwrite-or-remove';
  /** Of the item that was seen: with any other one the plan is stale. */
  seenDigest: string;
  seenHash?: string;
  /** What the log says belongs there: its first 16 digits. */
  expectedHash?: string;
  /** An append that was acknowledged: its events are appended again. */
  isFork: boolean;
}

/** A commit that had to make way. Its item is in the quarantine under `key`. */
export interface Fork {
  version: number;
  count: number;
  hash: string;
  key: string;
  outcome?:
    | 'appended'
    /** The stream holds these very events. */
    | 'already-there'
    /** The stream holds events with these ids and other content: a human must look. */
    | 'conflicting';
  /** Version of its first event now. */
  newVersion?: number;
}

export interface StreamRow {
  streamId: string;
  status:
    | 'planned'
    | 'done'
    /** No copy fits for `versions`. What the log vouches for was put back; nothing was removed. */
    | 'not-found'
    /** It is not as it was planned; nothing more was written. */
    | 'stale'
    /** It cannot go on; `note` says why. Other streams do. */
    | 'failed';
  inserts: number;
  changes: PlannedChange[];
  /** The directory item is lost or wrong: this one takes its place. */
  directory?: DirectoryRepair;
  /** Stored commits that the log does not have. */
  unsequenced: number;
  forks: Fork[];
  /** Items that were written or removed. */
  written: number;
  versions?: number[];
  /** Last version, when done. */
  end?: number;
  /** Why it failed. */
  note?: string;
  checkpointsBeyond?: { consumer: string; version: number }[];
}

export interface SearchProgress {
  /** Exports that were read whole. */
  exports: number;
  /** Data files of the next one. */
  files: number;
}

export interface RestoreRow {
  id: string;
  status: RestoreStatus;
  source: RestoreSource;
  /** Milliseconds since 1970; point-in-time only. */
  restoreTo?: number;
  sideTable?: string;
  discardUnknownEnd?: boolean;
  streams: number;
  requestedBy: string;
  reason: string;
  approvedBy?: string;
  /** Archive: how far the order of exports is read that was fixed when the search began. Absent: it has not begun. */
  search?: SearchProgress;
  /** Objects with copies. */
  copies: number;
  /** Tries that ended with an error, without progress between them. */
  failures?: number;
  /** What it is when the side table is dropped. @default 'done' */
  endsAs?: 'failed' | 'cancelled';
  note?: string;
  createdAt: number;
  /** Rises with every change: each is conditional on the one that was read. */
  updatedAt: number;
}

/** What has been taken away and is not appended again yet. */
export const openForks = ({ forks }: Pick<StreamRow, 'forks'>): Fork[] =>
  forks.filter(({ outcome }) => outcome === undefined);

export const FINISHED: readonly RestoreStatus[] = ['done', 'failed', 'cancelled'];
export const isFinished = ({ status }: Pick<RestoreRow, 'status'>): boolean => FINISHED.includes(status);

export interface RestoreRows {
  create(row: RestoreRow, streams: readonly StreamRow[]): Promise<void>;
  /** Consistent. */
  get(id: string): Promise<RestoreRow | undefined>;
  /** Undefined: somebody else has changed it meanwhile, nothing was written. */
  change(row: RestoreRow, changes: Partial<RestoreRow>, now: number): Promise<RestoreRow | undefined>;
  streams(id: string): AsyncIterable<StreamRow>;
  /** Its forks without an outcome are kept under the stream too, in the same transaction: no later restore can miss them. */
  saveStream(id: string, row: StreamRow): Promise<void>;
  /** Counts an item that is written, in the transaction that writes it: whatever dies, the count is right. */
  countWritten(id: string, streamId: string): Write;
  /** Forks that any restore of this stream has taken away and not appended again. Consistent. */
  openForks(streamId: string): Promise<Fork[]>;
  /** Ids that were applied and are not finished. */
  unfinished(): AsyncIterable<string>;
}

export function createRestoreRows({ dynamo, table }: { dynamo: Dynamo; table: string }): RestoreRows {
  const key = (id: string) => ({ pk: PARTITION, sk: id });
  const streamKey = (id: string, streamId: string) => ({ pk: `${PARTITION}#${id}`, sk: streamId });
  const openRow = (id: string, isOpen: boolean): Write => ({
    [isOpen ? 'Put' : 'Delete']: isOpen
      ? { TableName: table, Item: { pk: OPEN_PARTITION, sk: id, format: FORMAT } }
      : { TableName: table, Key: { pk: OPEN_PARTITION, sk: id } },
  });
  const plain = <Row>({ pk: _pk, sk: _sk, format: _format, ...row }: Record<string, unknown>): Row => row as Row;
  const forksKey = (streamId: string) => ({ pk: FORKS_PARTITION, sk: streamId });
  const streamPut = (id: string, row: StreamRow) => ({
    TableName: table,
    Item: { ...streamKey(id, row.streamId), ...row, format: FORMAT },
  });
  const forksWrite = (streamId: string, forks: readonly Fork[]): Write =>
    forks.length === 0
      ? { Delete: { TableName: table, Key: forksKey(streamId) } }
      : { Put: { TableName: table, Item: { ...forksKey(streamId), forks, format: FORMAT } } };

  return {
    async saveStream(id, row) {
      const put = streamPut(id, row);
      if (row.forks.length === 0) await dynamo.put(put);
      else await dynamo.transactWrite({ TransactItems: [{ Put: put }, forksWrite(row.streamId, openForks(row))] });
    },
    countWritten: (id, streamId) => ({
      Update: {
        TableName: table,
        Key: streamKey(id, streamId),
        UpdateExpression: 'ADD #written :one',
        ConditionExpression: 'attribute_exists(pk)',
        ExpressionAttributeNames: { '#written': 'written' },
        ExpressionAttributeValues: { ':one': 1 },
      },
    }),
    async openForks(streamId) {
      const { Item } = await dynamo.get({ TableName: table, Key: forksKey(streamId), ConsistentRead: true });
      return (Item as { forks?: Fork[] } | undefined)?.forks ?? [];
    },
    async create(row, streams) {
      // The streams first: a plan that can be found is whole.
      for (const stream of streams) await dynamo.put(streamPut(row.id, stream));
      const neverBefore = 'attribute_not_exists(pk)';
      const Item = { ...key(row.id), ...row, format: FORMAT };
      try {
        await dynamo.put({ TableName: table, Item, ConditionExpression: neverBefore });
      } catch (error) {
        // An answer that was lost: ids are used once.
        if (!isConditionFailed(error)) throw error;
      }
    },
    async get(id) {
      const { Item } = await dynamo.get({ TableName: table, Key: key(id), ConsistentRead: true });
      return Item && plain<RestoreRow>(Item);
    },
    async change(row, changes, now) {
      const changed = { ...row, ...changes, updatedAt: Math.max(now, row.updatedAt + 1) };
      const isAsSeen = '#status = :status AND #updatedAt = :updatedAt';
      const put: Write = {
        Put: {
          TableName: table,
          Item: { ...key(row.id), ...changed, format: FORMAT },
          ConditionExpression: isAsSeen,
          ExpressionAttributeNames: { '#status': 'status', '#updatedAt': 'updatedAt' },
          ExpressionAttributeValues: { ':status': row.status, ':updatedAt': row.updatedAt },
        },
      };
      try {
        const isOpen = !isFinished(changed) && changed.status !== 'planned';
        await dynamo.transactWrite({ TransactItems: [put, openRow(row.id, isOpen)] });
        return changed;
      } catch (error) {
        if (cancellation(error)?.kind === 'refused') return undefined;
        throw error;
      }
    },
    async *streams(id) {
      for await (const item of queryAll(dynamo, {
        TableName: table,
        KeyConditionExpression: 'pk = :restore',
        ExpressionAttributeValues: { ':restore': `${PARTITION}#${id}` },
        ConsistentRead: true,
      }))
        yield plain<StreamRow>(item);
    },
    async *unfinished() {
      for await (const { sk } of queryAll(dynamo, {
        TableName: table,
        KeyConditionExpression: 'pk = :open',
        ExpressionAttributeValues: { ':open': OPEN_PARTITION },
        ConsistentRead: true,
      }))
        yield String(sk);
    },
  };
}
