// Puts the gap scan together over a Dynamo engine. Used by the Lambda function, the simulation and the benchmark, so that all
// of them run the same scan.

import { createCheckpoints } from '../../flow/checkpoint/checkpoints.ts';
import type { WakeUps } from '../../flow/consumer/port.ts';
import { createLog } from '../../flow/log/log.ts';
import { createRegistry } from '../../flow/registry/registry.ts';
import type { World } from '../../platform/clock.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import type { Logger } from '../../platform/logging.ts';
import type { Metrics } from '../../platform/metrics.ts';
import { createLeases } from '../lease/leases.ts';
import { createPlans } from '../plan/plans.ts';
import { createOpenGaps } from './open-gaps.ts';
import { createPlanFill } from './plan-fill.ts';
import type { Announcements, LogLag, QueueSigns } from './port.ts';
import type { ScanDeps } from './scan.ts';
import { createScanStates } from './scan-state.ts';

export interface ScanParts {
  dynamo: Dynamo;
  eventsTable: string;
  logTable: string;
  checkpointsTable: string;
  recoveryTable: string;
  /** Name of the deployment. */
  deployment: string;
  wakeUps: WakeUps;
  queues: QueueSigns;
  logLag: LogLag;
  announcements: Announcements;
  /** `clock` = the DynamoDB server's: leases of consumers are compared with it. */
  world: World;
  logger: Logger;
  metrics: Metrics;
}

/** @example const outcome = await scanGaps(composeScan(parts), scanInput({}, 60_000)); */
export function composeScan(parts: ScanParts): ScanDeps {
  const { dynamo, eventsTable, logTable, checkpointsTable, recoveryTable, deployment, world, ...rest } = parts;
  const recovery = { dynamo, table: recoveryTable };
  const registry = createRegistry({ dynamo, checkpointsTable });
  const log = createLog({ dynamo, logTable, world });
  const checkpoints = createCheckpoints({ dynamo, table: checkpointsTable, world });
  const plans = createPlans({ ...recovery, world });
  const tables = { eventsTable, logTable, recoveryTable };
  return {
    ...rest,
    world,
    registry,
    log,
    checkpoints,
    planFill: createPlanFill({ dynamo, ...tables, deployment, registry, log, checkpoints, plans, world }),
    openGaps: createOpenGaps({ ...recovery, world }),
    states: createScanStates(recovery),
    leases: createLeases(recovery),
  };
}
