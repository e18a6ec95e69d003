// The restore operation made of its stores over one `Dynamo`.

import { createCheckpoints } from '../../flow/checkpoint/checkpoints.ts';
import { createEventStore } from '../../flow/event-store/event-store.ts';
import { createLog } from '../../flow/log/log.ts';
import { createRegistry } from '../../flow/registry/registry.ts';
import { createIncidents } from '../../flow/relay/incidents.ts';
import type { Continuations } from '../../flow/relay/port.ts';
import type { World } from '../../platform/clock.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import { withRetries } from '../../platform/dynamodb/with-retries.ts';
import type { Logger } from '../../platform/logging.ts';
import type { Objects } from '../archive/objects.ts';
import { createArchiveRows } from '../archive/rows.ts';
import { createAudit } from '../audit/audit.ts';
import { createLeases } from '../lease/leases.ts';
import { damagedStreams } from './damaged-streams.ts';
import type { PointInTime } from './point-in-time.ts';
import type { RestoreDeps } from './restore.ts';
import { createRestoreRows } from './rows.ts';

export interface RestoreParts {
  dynamo: Dynamo;
  eventsTable: string;
  logTable: string;
  checkpointsTable: string;
  recoveryTable: string;
  /** The archive bucket. */
  objects: Objects;
  pointInTime: PointInTime;
  /** Wakes the relay up. */
  continuations: Continuations;
  /** `clock` = the server clock. */
  world: World;
  logger: Logger;
}

export function composeRestore(parts: RestoreParts): RestoreDeps {
  const { eventsTable, logTable, checkpointsTable, recoveryTable, world, ...rest } = parts;
  const dynamo = withRetries(parts.dynamo, world);
  const recovery = { dynamo, table: recoveryTable };
  const registry = createRegistry({ dynamo, checkpointsTable });
  return {
    ...rest,
    dynamo,
    eventsTable,
    logTable,
    world,
    log: createLog({ dynamo, logTable, world }),
    incidents: createIncidents({ dynamo, logTable, world }),
    checkpoints: createCheckpoints({ dynamo, table: checkpointsTable, world }),
    consumers: async () => (await registry.list()).filter(({ status }) => status === 'active').map(({ name }) => name),
    openEventStore: () => createEventStore({ dynamo, eventsTable, logTable, world }),
    rows: createRestoreRows(recovery),
    archive: createArchiveRows(recovery),
    leases: createLeases(recovery),
    audit: createAudit({ ...recovery, world }),
    damagedStreams: () => damagedStreams(recovery),
  };
}
