// The event store over the Dynamo port: one implementation, whichever engine stands behind it (ADR 0001). This file only
// wires; the guarantees are in append.ts, read.ts, time-range.ts and read-all.ts.

import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Event } from '../../model/event.ts';
import { streamId } from '../../model/ids.ts';
import type { World } from '../../platform/clock.ts';
import { createDynamo } from '../../platform/dynamodb/client.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import { createWorld } from '../../platform/world.ts';
import { createLog } from '../log/log.ts';
import type { Log } from '../log/port.ts';
import { append } from './append.ts';
import { checkAppend } from './check-input.ts';
import { checkRead, checkReadAll, checkTimeRange } from './check-reads.ts';
import { createCommitTable } from './commit-table.ts';
import { verifyCommit } from './hash.ts';
import { createHeadCache, headOf } from './head.ts';
import { prepareAppend } from './new-commit.ts';
import type { EventStore } from './port.ts';
import { readCommitPages, readCommits, readEvents } from './read.ts';
import { readAll } from './read-all.ts';
import { readByTimeRange } from './time-range.ts';

export interface EventStoreOptions {
  /** Either a client of the AWS SDK... */
  client?: DynamoDBClient;
  /** ...or an engine, for example `createMemoryDynamo(...)`. */
  dynamo?: Dynamo;
  /** Stack output `EventsTableName`. */
  eventsTable: string;
  /** Stack output `LogTableName`. Reads by stream do not touch it. */
  logTable: string;
  /** @default the machine's clock, timers, random numbers and ids */
  world?: World;
  /** @default the log in `logTable` */
  log?: Pick<Log, 'directory' | 'pages'>;
}

/**
 * One store for the life of the process: it remembers the heads of the streams that it wrote, so that the next append is one
 * request.
 * @example
 * const eventStore = createEventStore({ client: new DynamoDBClient(), eventsTable: 'Events', logTable: 'Log' });
 * const events = [{ id: 'e1', type: 'OrderPlaced', data: { sku: 'A1', quantity: 2 } }];
 * const { version } = await eventStore.append('order-17', events, 'no-stream');
 * @throws EventRecoveryError codes: see `append`, `read` and docs/architecture.md
 */
export function createEventStore(options: EventStoreOptions): EventStore {
  const { eventsTable, logTable, world = createWorld() } = options;
  const dynamo = engineOf(options);
  const table = createCommitTable({ dynamo, eventsTable, world });
  const log = options.log ?? createLog({ dynamo, logTable, world });
  const heads = createHeadCache();

  return {
    async append(rawStreamId, rawEvents, expectedVersion, appendOptions = {}) {
      const prepared = prepareAppend(checkAppend(rawStreamId, rawEvents, expectedVersion, appendOptions));
      return append({ table, log, heads, world }, prepared, appendOptions.signal);
    },
    async read(rawStreamId, fromVersion, readOptions) {
      const events: Event[] = [];
      for await (const event of readEvents(table, () => checkRead(rawStreamId, fromVersion, readOptions)))
        events.push(event);
      return events;
    },
    readStream: (rawStreamId, fromVersion, readOptions) =>
      readEvents(table, () => checkRead(rawStreamId, fromVersion, readOptions)),
    readCommits: (rawStreamId, fromVersion, readOptions) =>
      readCommits(table, () => checkRead(rawStreamId, fromVersion, readOptions)),
    readCommitPages: (rawStreamId, fromVersion, readOptions) =>
      readCommitPages(table, () => checkRead(rawStreamId, fromVersion, readOptions)),
    async getVersion(rawStreamId) {
      const last = await table.last(streamId(rawStreamId));
      return headOf(last && verifyCommit(last)).version;
    },
    async readByTimeRange(rawStreamId, from, to) {
      return readByTimeRange(table, streamId(rawStreamId), checkTimeRange(from, to));
    },
    async readAll(fromPosition, batchSize) {
      return readAll({ table, log }, checkReadAll(fromPosition, batchSize));
    },
  };
}

function engineOf({ client, dynamo }: EventStoreOptions): Dynamo {
  if (dynamo !== undefined) return dynamo;
  if (client !== undefined) return createDynamo(client);
  throw new TypeError('createEventStore: got neither client nor dynamo; pass a DynamoDBClient as client');
}
