// Puts the relay together over a Dynamo engine and an EventBridge client. Used by the Lambda functions, the local system
// and the benchmark, so that all of them run the same relay.

import type { World } from '../../platform/clock.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import type { Logger } from '../../platform/logging.ts';
import type { Metrics } from '../../platform/metrics.ts';
import { verifyCommit } from '../event-store/hash.ts';
import { createLog } from '../log/log.ts';
import { createBackfills } from './backfills.ts';
import { createBus, createContinuations, type EventBridgeBus } from './bus.ts';
import type { RelayDependencies } from './dependencies.ts';
import { createIncidents } from './incidents.ts';
import type { Bus, Continuations } from './port.ts';
import { createStoredCommits } from './stored-commits.ts';

export interface RelayParts {
  dynamo: Dynamo;
  eventsTable: string;
  logTable: string;
  world: World;
  logger: Logger;
  metrics: Metrics;
  /** Where to publish: an EventBridge bus, or one's own voices. */
  publish: Pick<EventBridgeBus, 'client' | 'busName'> | { bus: Bus; continuations: Continuations };
}

/** @example const relay = createRelay(composeRelay({ dynamo, eventsTable, logTable, world, logger, metrics, publish })); */
export function composeRelay(parts: RelayParts): RelayDependencies {
  const { dynamo, eventsTable, logTable, world, logger, metrics, publish } = parts;
  const voices =
    'bus' in publish
      ? publish
      : {
          bus: createBus({ ...publish, world }),
          continuations: createContinuations({ ...publish, world }),
        };
  return {
    log: createLog({ dynamo, logTable, world }),
    source: createStoredCommits({ dynamo, eventsTable, world }),
    verify: verifyCommit,
    incidents: createIncidents({ dynamo, logTable, world }),
    backfills: createBackfills({ dynamo, logTable, world }),
    bus: voices.bus,
    continuations: voices.continuations,
    world,
    logger,
    metrics,
  };
}
