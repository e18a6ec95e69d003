// The event store for unit tests of code that appends and reads: the same implementation on the memory engine, without a
// relay. Every append is sequenced into the log at once, so that readAll shows it.

import { lastVersion } from '../../model/commit.ts';
import type { World } from '../../platform/clock.ts';
import { createMemoryDynamo, type MemoryDynamo } from '../../platform/dynamodb/memory/index.ts';
import { EVENTS_TABLE, LOG_TABLE } from '../../platform/dynamodb/schemas.ts';
import { createWorld } from '../../platform/world.ts';
import { createLog } from '../log/log.ts';
import { HASH_PREFIX_LENGTH } from '../log/pages.ts';
import type { Log } from '../log/port.ts';
import { createEventStore } from './event-store.ts';
import type { AppendResult, EventStore } from './port.ts';

export interface MemoryEventStore extends EventStore {
  /** The engine behind it, for tests that look at the items or damage them. */
  dynamo: MemoryDynamo;
}

/**
 * @param options.world of your own, for a clock that stands still
 * @example
 * const eventStore = createMemoryEventStore();
 * await placeOrder(eventStore, order);
 * expect(await eventStore.read('order-17')).toHaveLength(1);
 */
export function createMemoryEventStore(options: { world?: World } = {}): MemoryEventStore {
  const world = options.world ?? createWorld();
  const dynamo = createMemoryDynamo({ clock: world.clock, tables: [EVENTS_TABLE, LOG_TABLE] });
  const [eventsTable, logTable] = [EVENTS_TABLE.name, LOG_TABLE.name];
  const log = createLog({ dynamo, logTable, world });
  const store = createEventStore({ dynamo, eventsTable, logTable, world, log });
  // One after the other, like the pages of a relay: the head of the log moves with each.
  let sequencing: Promise<void> = Promise.resolve();
  return {
    ...store,
    dynamo,
    async append(...input) {
      const result = await store.append(...input);
      const next = () => sequence(store, log, world, result);
      sequencing = sequencing.then(next, next);
      await sequencing;
      return result;
    },
  };
}

/** Everything of the stream up to this append that the log does not have yet. */
async function sequence(store: EventStore, log: Log, world: World, { streamId, version }: AppendResult): Promise<void> {
  const sequenced = (await log.directory([streamId])).get(streamId);
  for await (const commit of store.readCommits(streamId, (sequenced?.version ?? 0) + 1)) {
    if (lastVersion(commit) > version) return;
    const { count, recordedAt, hash, events } = commit;
    await log.sequence({
      head: await log.head(),
      entries: [
        {
          streamId,
          version: commit.version,
          count,
          recordedAt,
          types: events.map(({ type }) => type),
          hashPrefix: hash.slice(0, HASH_PREFIX_LENGTH),
        },
      ],
      expected: await log.directory([streamId]),
      sequencedAt: world.clock.now(),
    });
  }
}
