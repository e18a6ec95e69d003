// Everything that a scrub reads: consistent, bounded in its retries, and as it is stored. Each read tells what it cost, so
// that the scrub keeps to its budget.

import type { ConsumedCapacity } from '@aws-sdk/client-dynamodb';
import { bucketOf, directoryKey, padded, pagePartition } from '../../flow/log/keys.ts';
import type { LogPage } from '../../flow/log/port.ts';
import { withRetries } from '../../flow/log/retry.ts';
import type { World } from '../../platform/clock.ts';
import { batchGetAll } from '../../platform/dynamodb/batches.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import type { LogAnswer } from './head.ts';
import type { Item } from './item.ts';
import { examinePage } from './page.ts';

export interface ReadsOptions {
  dynamo: Pick<Dynamo, 'scan' | 'query' | 'get' | 'batchGet'>;
  eventsTable: string;
  logTable: string;
  world: Pick<World, 'timers' | 'random'>;
  /** Read units of each request, as DynamoDB counts them. */
  spent: (units: number) => void;
}

export interface ScanPage {
  items: Item[];
  /** Absent: the table ends here. */
  next?: Item;
}

export interface Reads {
  scanEvents(from: Item | undefined, limit: number): Promise<ScanPage>;
  scanLog(from: Item | undefined, limit: number): Promise<ScanPage>;
  /** Items of one stream behind this sort key; without one, from the first. */
  itemsAfter(streamId: string, lastKey: unknown): AsyncIterable<Item>;
  /** The last item whose key is at most `version`. */
  itemAtOrBefore(streamId: string, version: number): Promise<Item | undefined>;
  /** Any item of the stream. */
  hasItems(streamId: string): Promise<boolean>;
  /** By their keys; what is not stored is absent. */
  items(keys: readonly { streamId: string; version: number }[]): Promise<Item[]>;
  /** Directory items as they are; absent: the stream has none. */
  heads(streamIds: readonly string[]): Promise<Map<string, Item>>;
  /** What the log holds at this position. Pages that were read are remembered for a while. */
  logAt(position: number): Promise<LogAnswer>;
  /** The page that holds this position. */
  pageAt(position: number): Promise<{ kind: 'page'; page: LogPage } | { kind: 'nothing' } | { kind: 'unreadable' }>;
}

/** Pages of at most 64 KB (one of a single large commit: 265 KB): about 4 MB. */
const PAGES_REMEMBERED = 64;
const ITEMS_PER_QUERY = 100;

export function createReads(options: ReadsOptions): Reads {
  const { dynamo, eventsTable, logTable, world, spent } = options;
  const remembered: LogPage[] = [];
  const measured = async <T extends { ConsumedCapacity?: ConsumedCapacity | ConsumedCapacity[] }>(
    read: () => Promise<T>,
  ): Promise<T> => {
    const answer = await withRetries(world, read);
    for (const { CapacityUnits = 0 } of [answer.ConsumedCapacity ?? []].flat()) spent(CapacityUnits);
    return answer;
  };
  const common = { ConsistentRead: true, ReturnConsumedCapacity: 'TOTAL' } as const;
  const metered: Pick<Dynamo, 'batchGet'> = {
    batchGet: (input) => measured(() => dynamo.batchGet({ ...input, ReturnConsumedCapacity: 'TOTAL' })),
  };

  async function scan(TableName: string, from: Item | undefined, Limit: number): Promise<ScanPage> {
    const { Items = [], LastEvaluatedKey } = await measured(() =>
      dynamo.scan({ TableName, Limit, ...common, ...(from && { ExclusiveStartKey: { ...from } }) }),
    );
    return { items: Items, ...(LastEvaluatedKey && { next: LastEvaluatedKey }) };
  }

  /** The last page of a bucket that begins at or before the position, as it is stored. */
  async function pageItem(bucket: number, position: number): Promise<Item | undefined> {
    const { Items = [] } = await measured(() =>
      dynamo.query({
        TableName: logTable,
        KeyConditionExpression: '#pk = :bucket AND #sk <= :position',
        ExpressionAttributeNames: { '#pk': 'pk', '#sk': 'sk' },
        ExpressionAttributeValues: { ':bucket': pagePartition(bucket), ':position': padded(position) },
        ScanIndexForward: false,
        Limit: 1,
        ...common,
      }),
    );
    return Items[0];
  }

  const reads: Reads = {
    scanEvents: (from, limit) => scan(eventsTable, from, limit),
    scanLog: (from, limit) => scan(logTable, from, limit),

    async *itemsAfter(streamId, lastKey) {
      const after = lastKey === undefined ? '' : ' AND #version > :lastKey';
      let from: Record<string, unknown> | undefined;
      do {
        const ExclusiveStartKey = from;
        const { Items = [], LastEvaluatedKey } = await measured(() =>
          dynamo.query({
            TableName: eventsTable,
            KeyConditionExpression: `#streamId = :streamId${after}`,
            ExpressionAttributeNames: { '#streamId': 'streamId', ...(after && { '#version': 'version' }) },
            ExpressionAttributeValues: { ':streamId': streamId, ...(after && { ':lastKey': lastKey }) },
            Limit: ITEMS_PER_QUERY,
            ...common,
            ...(ExclusiveStartKey && { ExclusiveStartKey }),
          }),
        );
        yield* Items;
        from = LastEvaluatedKey;
      } while (from !== undefined);
    },

    async itemAtOrBefore(streamId, version) {
      const { Items = [] } = await measured(() =>
        dynamo.query({
          TableName: eventsTable,
          KeyConditionExpression: '#streamId = :streamId AND #version <= :version',
          ExpressionAttributeNames: { '#streamId': 'streamId', '#version': 'version' },
          ExpressionAttributeValues: { ':streamId': streamId, ':version': version },
          ScanIndexForward: false,
          Limit: 1,
          ...common,
        }),
      );
      return Items[0];
    },

    hasItems: async (streamId) => (await reads.itemAtOrBefore(streamId, Number.MAX_SAFE_INTEGER)) !== undefined,

    items: (keys) => batchGetAll(metered, eventsTable, distinct(keys), { ...world, ConsistentRead: true }),

    async heads(streamIds) {
      const keys = [...new Set(streamIds)].map((id) => ({ ...directoryKey(id) }));
      const items = await batchGetAll(metered, logTable, keys, { ...world, ConsistentRead: true });
      return new Map(items.map((item) => [String(item.pk).slice(DIRECTORY_PREFIX_LENGTH), item]));
    },

    async pageAt(position) {
      const known = remembered.find((page) => page.firstPosition <= position && page.lastPosition >= position);
      if (known !== undefined) return { kind: 'page', page: known };
      const bucket = bucketOf(position);
      // A page that crosses into this bucket lives in the bucket before.
      for (const candidate of bucket === 0 ? [0] : [bucket, bucket - 1]) {
        const item = await pageItem(candidate, position);
        if (item === undefined) continue;
        const verdict = examinePage(item);
        if (verdict.kind !== 'whole') return { kind: 'unreadable' };
        if (verdict.page.lastPosition < position) return { kind: 'nothing' };
        remembered.unshift(verdict.page);
        remembered.length = Math.min(remembered.length, PAGES_REMEMBERED);
        return { kind: 'page', page: verdict.page };
      }
      return { kind: 'nothing' };
    },

    async logAt(position) {
      const found = await reads.pageAt(position);
      if (found.kind !== 'page') return found;
      const { entries, sequencedAt } = found.page;
      const entry = entries.find((each) => position >= each.position && position < each.position + each.count);
      return entry === undefined ? { kind: 'nothing' } : { kind: 'entry', entry, sequencedAt };
    },
  };
  return reads;
}

const DIRECTORY_PREFIX_LENGTH = directoryKey('').pk.length;

const distinct = (keys: readonly { streamId: string; version: number }[]) => [
  ...new Map(keys.map(({ streamId, version }) => [`${version} ${streamId}`, { streamId, version }])).values(),
];
