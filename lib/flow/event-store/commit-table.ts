// The Events table: every request to it stands here. Reads are consistent unless the caller says otherwise, paginated,
// bounded in their retries, and give commits as they are stored, unverified. There is one write: a put that never replaces.

import type { StoredCommit } from '../../model/commit.ts';
import type { StreamId } from '../../model/ids.ts';
import type { World } from '../../platform/clock.ts';
import { batchGetAll } from '../../platform/dynamodb/batches.ts';
import { isConditionFailed, refusedItem } from '../../platform/dynamodb/failures.ts';
import { queryPages } from '../../platform/dynamodb/pages.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import { readWithRetries } from './failures.ts';

export interface CommitTableOptions {
  dynamo: Pick<Dynamo, 'get' | 'put' | 'query' | 'batchGet'>;
  eventsTable: string;
  world: Pick<World, 'timers' | 'random'>;
}

export interface RangeOptions {
  /** @default true */
  consistent?: boolean;
  /** Commits per request. @default as many as fit into 1 MB */
  pageSize?: number;
}

export interface CommitKey {
  streamId: StreamId;
  version: number;
}

/** Answer of the put. `found` is what stands in the way, when DynamoDB told. */
export type PutAnswer = { kind: 'stored' } | { kind: 'refused'; found?: StoredCommit };

export interface CommitTable {
  /** Commits whose first version is at least `version`, in order, those of one request at a time. */
  readFrom(streamId: StreamId, version: number, options?: RangeOptions): AsyncIterable<StoredCommit[]>;
  /** Commits whose first version is at most `version`, last first, likewise; without `version` from the end. */
  readBackFrom(streamId: StreamId, version?: number, options?: RangeOptions): AsyncIterable<StoredCommit[]>;
  /** The commit whose first version is exactly `version`. */
  get(streamId: StreamId, version: number): Promise<StoredCommit | undefined>;
  /** The last commit whose first version is at most `version`: it holds that version, unless the stream ends or has a hole. */
  containing(streamId: StreamId, version: number, options?: RangeOptions): Promise<StoredCommit | undefined>;
  /** The stream's last commit. */
  last(streamId: StreamId): Promise<StoredCommit | undefined>;
  /** Commits by their exact keys (no duplicates), in no order; what is not stored is absent. */
  getMany(keys: readonly CommitKey[]): Promise<StoredCommit[]>;
  /** One PutItem where nothing stands yet. Not retried here: errors are thrown as they are. */
  putNew(commit: StoredCommit): Promise<PutAnswer>;
}

/** @example for await (const commits of createCommitTable({ dynamo, eventsTable, world }).readFrom(id, 1)) commits.map(verifyCommit); */
export function createCommitTable({ dynamo, eventsTable, world }: CommitTableOptions): CommitTable {
  const reading = <T>(read: () => Promise<T>): Promise<T> => readWithRetries(world, eventsTable, read);
  const retrying: Pick<Dynamo, 'query' | 'batchGet'> = {
    query: (input) => reading(() => dynamo.query(input)),
    batchGet: (input) => reading(() => dynamo.batchGet(input)),
  };

  async function* range(
    streamId: StreamId,
    bound: { operator: '<=' | '>='; version: number } | undefined,
    forwards: boolean,
    { consistent = true, pageSize }: RangeOptions,
  ): AsyncGenerator<StoredCommit[]> {
    const ofStream = '#streamId = :streamId';
    const inRange = bound && `#version ${bound.operator} :version`;
    const pages = queryPages(retrying, {
      TableName: eventsTable,
      KeyConditionExpression: inRange === undefined ? ofStream : `${ofStream} AND ${inRange}`,
      ExpressionAttributeNames: { '#streamId': 'streamId', ...(bound && { '#version': 'version' }) },
      ExpressionAttributeValues: { ':streamId': streamId, ...(bound && { ':version': bound.version }) },
      ConsistentRead: consistent,
      ScanIndexForward: forwards,
      ...(pageSize !== undefined && { Limit: pageSize }),
    });
    for await (const { Items = [] } of pages) yield Items.map(storedCommit);
  }

  const readBackFrom: CommitTable['readBackFrom'] = (streamId, version, options = {}) =>
    range(streamId, version === undefined ? undefined : { operator: '<=', version }, false, options);

  const firstOf = async (pages: AsyncIterable<StoredCommit[]>): Promise<StoredCommit | undefined> => {
    for await (const [first] of pages) if (first !== undefined) return first;
    return undefined;
  };

  return {
    readBackFrom,
    readFrom: (streamId, version, options = {}) => range(streamId, { operator: '>=', version }, true, options),
    containing: (streamId, version, options) => firstOf(readBackFrom(streamId, version, { ...options, pageSize: 1 })),
    last: (streamId) => firstOf(readBackFrom(streamId, undefined, { pageSize: 1 })),

    async get(streamId, version) {
      const { Item } = await reading(() =>
        dynamo.get({ TableName: eventsTable, Key: { streamId, version }, ConsistentRead: true }),
      );
      return Item && storedCommit(Item);
    },

    async getMany(keys) {
      const plainKeys = keys.map(({ streamId, version }) => ({ streamId, version }));
      const items = await batchGetAll(retrying, eventsTable, plainKeys, {
        timers: world.timers,
        random: world.random,
        ConsistentRead: true,
      });
      return items.map(storedCommit);
    },

    async putNew(commit) {
      const nothingStandsThere = 'attribute_not_exists(#version)';
      try {
        await dynamo.put({
          TableName: eventsTable,
          Item: { ...commit },
          ConditionExpression: nothingStandsThere,
          ExpressionAttributeNames: { '#version': 'version' },
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        });
        return { kind: 'stored' };
      } catch (error) {
        if (!isConditionFailed(error)) throw error;
        const item = refusedItem(error);
        return { kind: 'refused', ...(item && { found: storedCommit(item) }) };
      }
    },
  };
}

/** The attributes that a commit has, and no others. Whether they are right is for `verifyCommit` to say. */
function storedCommit(item: Record<string, unknown>): StoredCommit {
  const { streamId, version, count, events, encoding, format, recordedAt, previousHash, hash } =
    item as unknown as StoredCommit;
  return { streamId, version, count, events, encoding, format, recordedAt, previousHash, hash };
}
