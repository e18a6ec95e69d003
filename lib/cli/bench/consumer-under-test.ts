// A consumer on the memory engine whose requests are counted in capacity units, as AWS charges them: refused conditional
// writes too, and transactions twice. DynamoDB Local reports too little for transactions (docs/emulators.md).

import { createCheckpoints } from '../../flow/checkpoint/checkpoints.ts';
import { checkDeclaration } from '../../flow/consumer/declaration.ts';
import { createConsumerEngine } from '../../flow/consumer/engine.ts';
import type { ConsumerEngine } from '../../flow/consumer/engine-port.ts';
import type { ParsedMessage } from '../../flow/consumer/messages.ts';
import { createDeadLetters } from '../../flow/dead-letter/dead-letters.ts';
import { createEventStore } from '../../flow/event-store/event-store.ts';
import type { EventStore } from '../../flow/event-store/port.ts';
import { createMarkers } from '../../flow/idempotency/markers.ts';
import type { ConsumerDeclaration } from '../../model/consumer.ts';
import { type Position, streamId, type Version } from '../../model/ids.ts';
import { createMemoryDynamo } from '../../platform/dynamodb/memory/index.ts';
import { ALL_TABLES } from '../../platform/dynamodb/schemas.ts';
import { silentLogger } from '../../platform/logging.ts';
import { silentMetrics } from '../../platform/metrics.ts';
import { createWorld } from '../../platform/world.ts';
import type { WriteCapacity } from './write-capacity.ts';
import { countWriteUnits } from './write-capacity.ts';

const OWN_TABLE = 'Stock';

export interface ConsumerUnderTest {
  engine: ConsumerEngine;
  store: EventStore;
  capacity: WriteCapacity;
  /** The bus's delivery of one event, with its body. */
  delivery(stream: string, version: number): Promise<ParsedMessage>;
  /** The checkpoint's version, to see that the work was done. */
  version(stream: string): Promise<number>;
}

export function createConsumerUnderTest(
  declared: Pick<ConsumerDeclaration, 'effects' | 'groupCommits'>,
): ConsumerUnderTest {
  const world = createWorld();
  const memory = createMemoryDynamo({
    clock: world.clock,
    tables: [...ALL_TABLES, { name: OWN_TABLE, partitionKey: { name: 'pk', type: 'S' } }],
  });
  const { dynamo, capacity } = countWriteUnits(memory);
  const declaration = checkDeclaration({ name: 'bench', eventTypes: ['OrderPlaced'], ...declared });
  const store = createEventStore({ dynamo: memory, eventsTable: 'Events', logTable: 'Log', world });
  const checkpoints = createCheckpoints({ dynamo, table: 'Checkpoints', world });
  const engine = createConsumerEngine({
    declaration,
    react: (event) =>
      declared.effects === 'idempotent'
        ? undefined
        : [{ Put: { TableName: OWN_TABLE, Item: { pk: `${event.streamId}/${event.metadata.version}` } } }],
    eventStore: store,
    checkpoints,
    markers: createMarkers({ dynamo, table: 'Idempotency', world }),
    deadLetters: createDeadLetters({ dynamo, table: 'DeadLetters', world }),
    registration: async () => ({
      startFrom: 'beginning',
      startPosition: 0 as Position,
      eventTypes: { OrderPlaced: 0 } as never,
    }),
    log: { versionAtPosition: async () => 0 as Version },
    incidents: { record: async () => undefined },
    wakeUps: { send: async () => undefined },
    queueUrl: 'none',
    ownTables: [],
    markerTtlMs: 14 * 86_400_000,
    serverClock: world.clock,
    world,
    logger: silentLogger,
    metrics: silentMetrics,
  });
  let messages = 0;
  return {
    engine,
    store,
    capacity,
    version: async (stream) =>
      (await checkpoints.get({ consumer: declaration.name as never, streamId: streamId(stream) }))?.version ?? 0,
    async delivery(stream, version) {
      messages += 1;
      for await (const commit of store.readCommits(stream, version, { limit: 1 })) {
        const event = commit.events.find(({ metadata }) => metadata.version === version);
        if (event === undefined) break;
        const delivered = { event, commitHash: commit.hash, commitVersion: commit.version };
        return {
          messageId: `m${messages}`,
          receiveCount: 1,
          body: {
            kind: 'wake-up',
            streamId: streamId(stream),
            version: version as Version,
            reason: 'event',
            hops: 0,
            correlationId: event.metadata.correlationId,
            delivered,
          },
        };
      }
      throw new Error(`version ${version} of ${stream} is not stored`);
    },
  };
}
