// The relay's reads of the Events table: consistent, page by page, and unverified, because the relay itself decides what
// is damage and what it is called.

import type { StoredCommit } from '../../model/commit.ts';
import type { World } from '../../platform/clock.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import { withRetries } from '../log/retry.ts';
import type { StoredCommits } from './gather.ts';

export interface EventsTable {
  dynamo: Dynamo;
  eventsTable: string;
  world: Pick<World, 'timers' | 'random'>;
}

/** Commits per Query; DynamoDB ends a page at 1 MB anyway. Few enough that a break wastes little. */
const COMMITS_PER_QUERY = 100;

export function createStoredCommits({ dynamo, eventsTable, world }: EventsTable): StoredCommits {
  return {
    async *readFrom(streamId, version) {
      let from: Record<string, unknown> | undefined;
      do {
        const ExclusiveStartKey = from;
        const page = await withRetries(world, () =>
          dynamo.query({
            TableName: eventsTable,
            KeyConditionExpression: '#streamId = :streamId AND #version >= :version',
            ExpressionAttributeNames: { '#streamId': 'streamId', '#version': 'version' },
            ExpressionAttributeValues: { ':streamId': streamId, ':version': version },
            ConsistentRead: true,
            Limit: COMMITS_PER_QUERY,
            ...(ExclusiveStartKey === undefined ? {} : { ExclusiveStartKey }),
          }),
        );
        yield* (page.Items ?? []) as StoredCommit[];
        from = page.LastEvaluatedKey;
      } while (from !== undefined);
    },

    async get(streamId, version) {
      const { Item } = await withRetries(world, () =>
        dynamo.get({ TableName: eventsTable, Key: { streamId, version }, ConsistentRead: true }),
      );
      return Item as StoredCommit | undefined;
    },
  };
}
