// Streams with their commits, and the log as the relay writes it: what other benchmarks begin with.

import { createEventStore } from '../../flow/event-store/event-store.ts';
import { createLog } from '../../flow/log/log.ts';
import { HASH_PREFIX_LENGTH } from '../../flow/log/pages.ts';
import type { StreamId, Version } from '../../model/ids.ts';
import type { World } from '../../platform/clock.ts';
import { batchWriteAll } from '../../platform/dynamodb/batches.ts';
import { createMemoryDynamo } from '../../platform/dynamodb/memory/index.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import { EVENTS_TABLE, LOG_TABLE } from '../../platform/dynamodb/schemas.ts';
import { createWorld } from '../../platform/world.ts';
import { benchEvents } from './events.ts';

export interface History {
  streams: number;
  commits: number;
  /** Per commit. */
  events: number;
}

/** A commit that was appended and sequenced. */
export interface FilledCommit {
  streamId: string;
  version: number;
  count: number;
  hash: string;
}

/** A page is one transaction of at most 100 items. */
const STREAMS_PER_PAGE = 90;
const EVENT_BYTES = 300;

/** Written as the product writes it, a request for each commit. Pages of each round of commits. @returns the streams' ids */
export async function fillHistory(
  dynamo: Dynamo,
  tables: { eventsTable: string; logTable: string },
  { streams, commits, events }: History,
  onCommit: (commit: FilledCommit) => void = () => undefined,
  world: World = createWorld(),
): Promise<string[]> {
  const store = createEventStore({ dynamo, world, ...tables });
  const log = createLog({ dynamo, logTable: tables.logTable, world });
  const streamIds = Array.from({ length: streams }, (_, index) => `order-6f9619ff-8b86-d011-b42d-${100_000 + index}`);
  for (let commit = 0; commit < commits; commit += 1) {
    for (let at = 0; at < streamIds.length; at += STREAMS_PER_PAGE) {
      const some = streamIds.slice(at, at + STREAMS_PER_PAGE);
      const entries = await Promise.all(
        some.map(async (id) => {
          const given = benchEvents(events, EVENT_BYTES, `${id}-${commit}`);
          const { firstVersion, hash, recordedAt } = await store.append(id, given, commit * events);
          onCommit({ streamId: id, version: firstVersion, count: events, hash });
          const hashPrefix = hash.slice(0, HASH_PREFIX_LENGTH);
          const types = given.map(({ type }) => type);
          return {
            streamId: id as StreamId,
            version: firstVersion as Version,
            count: events,
            recordedAt,
            types,
            hashPrefix,
          };
        }),
      );
      const head = await log.head({ cached: true });
      const expected = await log.directory(some as StreamId[]);
      const { kind } = await log.sequence({ head, entries, expected, sequencedAt: world.clock.now() });
      if (kind !== 'sequenced') throw new Error('another relay is at work');
    }
  }
  return streamIds;
}

/** Copies at once: as many as keep a database of this machine busy. */
const COPIES_AT_ONCE = 4;
const ITEMS_PER_COPY = 500;

/** The same, made on the memory engine and put into the tables 25 items at a time: several times as fast. */
export async function copyHistory(
  dynamo: Pick<Dynamo, 'batchWrite'>,
  tables: { eventsTable: string; logTable: string },
  history: History,
): Promise<string[]> {
  const world = createWorld();
  const made = createMemoryDynamo({ clock: world.clock, tables: [EVENTS_TABLE, LOG_TABLE] });
  const [eventsTable, logTable] = [EVENTS_TABLE.name, LOG_TABLE.name];
  const streamIds = await fillHistory(made, { eventsTable, logTable }, history);
  for (const [from, to] of [
    [eventsTable, tables.eventsTable],
    [logTable, tables.logTable],
  ] as const) {
    const items = made.items(from);
    const worker = async (): Promise<void> => {
      while (items.length > 0) {
        const requests = items.splice(-ITEMS_PER_COPY).map((Item) => ({ PutRequest: { Item } }));
        await batchWriteAll(dynamo, to, requests, world);
      }
    };
    await Promise.all(Array.from({ length: COPIES_AT_ONCE }, worker));
  }
  return streamIds;
}
