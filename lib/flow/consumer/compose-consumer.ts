// One consumer made of its parts: stores over one `Dynamo`, the engine, and the batch handler on top. Everything that
// differs between Lambda, tests and the simulation comes in: engine of the tables, world, clocks, wake-ups, telemetry.

import { EventRecoveryError } from '../../model/errors.ts';
import { consumerName } from '../../model/ids.ts';
import type { Clock, World } from '../../platform/clock.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import { withRetries } from '../../platform/dynamodb/with-retries.ts';
import type { Logger } from '../../platform/logging.ts';
import type { Metrics } from '../../platform/metrics.ts';
import { createCheckpoints } from '../checkpoint/checkpoints.ts';
import { createDeadLetters } from '../dead-letter/dead-letters.ts';
import { createEventStore } from '../event-store/event-store.ts';
import { createMarkers } from '../idempotency/markers.ts';
import { createLog } from '../log/log.ts';
import type { Registry } from '../registry/port.ts';
import { createRegistry } from '../registry/registry.ts';
import { createIncidents } from '../relay/incidents.ts';
import { type BatchHandler, createBatchHandler } from './batch-handler.ts';
import type { CompleteDeclaration } from './declaration.ts';
import { createConsumerEngine } from './engine.ts';
import type { EngineDeps, RegistrationFacts } from './engine-port.ts';
import type { React, WakeUps } from './port.ts';

export interface ConsumerTables {
  eventsTable: string;
  logTable: string;
  checkpointsTable: string;
  deadLettersTable: string;
  idempotencyTable: string;
  /** Not read by a consumer; named so that `react` cannot write to it. */
  recoveryTable?: string;
}

export interface ConsumerParts {
  declaration: CompleteDeclaration;
  react: React;
  tables: ConsumerTables;
  dynamo: Dynamo;
  wakeUps: WakeUps;
  /** The consumer's own queue. */
  queueUrl: string;
  /** How long a completed marker protects, in milliseconds. */
  markerTtlMs: number;
  /** The DynamoDB server's clock. */
  serverClock: Clock;
  world: World;
  logger: Logger;
  metrics: Metrics;
  settings?: EngineDeps['settings'];
}

/** @example const handle = composeConsumer({ declaration, react, tables, dynamo, wakeUps, queueUrl, ... }); */
export function composeConsumer(parts: ConsumerParts): BatchHandler {
  const { declaration, dynamo, tables, world, logger, metrics } = parts;
  const registry = createRegistry({ dynamo: withRetries(dynamo, world), checkpointsTable: tables.checkpointsTable });
  const engine = createConsumerEngine({
    declaration,
    react: parts.react,
    eventStore: createEventStore({ dynamo, world, eventsTable: tables.eventsTable, logTable: tables.logTable }),
    checkpoints: createCheckpoints({ dynamo, table: tables.checkpointsTable, world }),
    markers: createMarkers({ dynamo, table: tables.idempotencyTable, world }),
    deadLetters: createDeadLetters({ dynamo, table: tables.deadLettersTable, world }),
    registration: cachedRegistration(registry, declaration.name),
    log: createLog({ dynamo, logTable: tables.logTable, world }),
    incidents: createIncidents({ dynamo, logTable: tables.logTable, world }),
    wakeUps: parts.wakeUps,
    queueUrl: parts.queueUrl,
    ownTables: Object.values(tables).filter((table) => table !== undefined),
    markerTtlMs: parts.markerTtlMs,
    serverClock: parts.serverClock,
    world,
    logger,
    metrics,
    settings: parts.settings,
  });
  return createBatchHandler({ declaration, engine, logger, metrics });
}

/**
 * Where a consumer began never changes, and the types that it knows only grow while its code is the same: the first
 * answer is kept until somebody asks for a fresh one. A failure is not kept.
 */
export function cachedRegistration(registry: Pick<Registry, 'get'>, rawName: string): EngineDeps['registration'] {
  const name = consumerName(rawName);
  let known: RegistrationFacts | undefined;
  return async ({ fresh }) => {
    if (known === undefined || fresh) known = await registry.get(name);
    if (known !== undefined) return known;
    throw new EventRecoveryError(
      'CONSUMER_NOT_REGISTERED',
      `consumer "${name}" is not in the registry; remedy: deploy it with the EventConsumer construct; its messages wait in the queue`,
      { retryable: true, facts: { consumer: name } },
    );
  };
}
