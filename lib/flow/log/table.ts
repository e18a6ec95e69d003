// The reads of the Log table that everything else in this folder is made of: the last page of a bucket, pages from a
// position on, directory items in batches. All reads are consistent, so that what a relay just wrote is seen by everybody.

import { EventRecoveryError } from '../../model/errors.ts';
import type { Position, StreamId, Version } from '../../model/ids.ts';
import type { World } from '../../platform/clock.ts';
import { batchGetAll } from '../../platform/dynamodb/batches.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import { bucketOf, directoryKey, padded, pagePartition, streamIdOfDirectoryKey } from './keys.ts';
import { decodePage } from './pages.ts';
import type { DirectoryEntry, LogPage } from './port.ts';
import { withRetries } from './retry.ts';

export interface LogTable {
  dynamo: Dynamo;
  logTable: string;
  world: Pick<World, 'timers' | 'random'>;
}

export interface PageBounds {
  firstPosition: Position;
  lastPosition: Position;
}

export async function lastPageBounds(table: LogTable, bucket: number): Promise<PageBounds | undefined> {
  const { Items = [] } = await withRetries(table.world, () =>
    table.dynamo.query({
      TableName: table.logTable,
      KeyConditionExpression: '#pk = :bucket',
      ProjectionExpression: '#first, #last',
      ExpressionAttributeNames: { '#pk': 'pk', '#first': 'firstPosition', '#last': 'lastPosition' },
      ExpressionAttributeValues: { ':bucket': pagePartition(bucket) },
      ConsistentRead: true,
      ScanIndexForward: false,
      Limit: 1,
    }),
  );
  return Items[0] as PageBounds | undefined;
}

/** The page that holds this position, or undefined past the head. */
export async function pageAt(table: LogTable, position: number): Promise<LogPage | undefined> {
  const bucket = bucketOf(position);
  // A page that crosses into this bucket lives in the bucket before; it is shorter than a bucket, so never further back.
  for (const candidate of bucket === 0 ? [0] : [bucket, bucket - 1]) {
    const { Items = [] } = await withRetries(table.world, () =>
      table.dynamo.query({
        TableName: table.logTable,
        KeyConditionExpression: '#pk = :bucket AND #sk <= :position',
        ExpressionAttributeNames: { '#pk': 'pk', '#sk': 'sk' },
        ExpressionAttributeValues: { ':bucket': pagePartition(candidate), ':position': padded(position) },
        ConsistentRead: true,
        ScanIndexForward: false,
        Limit: 1,
      }),
    );
    const [item] = Items;
    if (item !== undefined) return (item.lastPosition as number) >= position ? decodePage(item) : undefined;
  }
  return undefined;
}

/**
 * Pages from the one that begins at `firstPosition` on, in order, until the head. Whoever goes on reading gets more of them
 * with each request, up to DynamoDB's 1 MB.
 * @throws EventRecoveryError `LOG_DAMAGED` when a page is missing between two others
 */
export async function* pagesFrom(
  table: LogTable,
  firstPosition: number,
  pageSize: number,
  { readAhead = false }: { readAhead?: boolean } = {},
): AsyncGenerator<LogPage> {
  let next = firstPosition;
  let limit = pageSize;
  let answer = itemsFrom(table, next, limit);
  for (;;) {
    const items = await answer;
    const last = items.at(-1);
    if (last === undefined) return;
    limit = Math.min(limit * 4, PAGES_AT_ONCE_MAX);
    const ahead = readAhead ? itemsFrom(table, Number(last.lastPosition) + 1, limit) : undefined;
    // Nobody waits for its failure when the reading has ended before.
    ahead?.catch(() => undefined);
    for (const item of items) {
      const page = decodePage(item);
      if (page.firstPosition !== next) throw missingPage(next, page.firstPosition);
      yield page;
      next = page.lastPosition + 1;
    }
    answer = ahead ?? itemsFrom(table, next, limit);
  }
}

async function itemsFrom(table: LogTable, position: number, Limit: number): Promise<Record<string, unknown>[]> {
  const { Items = [] } = await withRetries(table.world, () =>
    table.dynamo.query({
      TableName: table.logTable,
      KeyConditionExpression: '#pk = :bucket AND #sk >= :position',
      ExpressionAttributeNames: { '#pk': 'pk', '#sk': 'sk' },
      ExpressionAttributeValues: { ':bucket': pagePartition(bucketOf(position)), ':position': padded(position) },
      ConsistentRead: true,
      Limit,
    }),
  );
  return Items;
}

/** A page of few commits has some hundred bytes: more than this many of them seldom fit into one answer. */
const PAGES_AT_ONCE_MAX = 1_024;

const missingPage = (expected: number, found: number): EventRecoveryError =>
  new EventRecoveryError(
    'LOG_DAMAGED',
    `log: no page begins at position ${expected}, the next one begins at ${found}; remedy: npx event-recovery verify`,
    { facts: { expected, found } },
  );

/** Directory items of these streams; unknown streams are absent. */
export async function readDirectory(
  table: LogTable,
  streamIds: readonly StreamId[],
): Promise<Map<StreamId, DirectoryEntry>> {
  const { timers, random } = table.world;
  const keys = [...new Set(streamIds)].map((id) => ({ ...directoryKey(id) }));
  const items = await withRetries(table.world, () =>
    batchGetAll(table.dynamo, table.logTable, keys, { timers, random, ConsistentRead: true }),
  );
  return new Map(items.map(directoryEntry).map((entry) => [entry.streamId, entry]));
}

const directoryEntry = (item: Record<string, unknown>): DirectoryEntry => ({
  streamId: streamIdOfDirectoryKey(item.pk as string) as StreamId,
  version: item.version as Version,
  position: item.position as Position,
  hashPrefix: item.hashPrefix as string,
  updatedAt: item.updatedAt as number,
});
