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
import { createOpenGaps } from './open-gaps.ts';
import type { Announcements, LogLag, QueueSigns } from './port.ts';
import type { ScanDeps } from './scan.ts';
import { createScanStates } from './scan-state.ts';

export interface ScanParts {
  dynamo: Dynamo;
  logTable: string;
  checkpointsTable: string;
  recoveryTable: string;
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
  const { dynamo, logTable, checkpointsTable, recoveryTable, world, ...rest } = parts;
  const recovery = { dynamo, table: recoveryTable };
  return {
    ...rest,
    world,
    registry: createRegistry({ dynamo, checkpointsTable }),
    log: createLog({ dynamo, logTable, world }),
    checkpoints: createCheckpoints({ dynamo, table: checkpointsTable, world }),
    openGaps: createOpenGaps({ ...recovery, world }),
    states: createScanStates(recovery),
    leases: createLeases(recovery),
  };
}
