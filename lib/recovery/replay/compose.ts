// The replay operation made of its stores over one `Dynamo`.

import { createCheckpoints } from '../../flow/checkpoint/checkpoints.ts';
import type { WakeUps } from '../../flow/consumer/port.ts';
import { createLog } from '../../flow/log/log.ts';
import { createRegistry } from '../../flow/registry/registry.ts';
import type { World } from '../../platform/clock.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import { withRetries } from '../../platform/dynamodb/with-retries.ts';
import type { Logger } from '../../platform/logging.ts';
import type { Metrics } from '../../platform/metrics.ts';
import { createAudit } from '../audit/audit.ts';
import { createOpenGaps } from '../gap/open-gaps.ts';
import { createLeases } from '../lease/leases.ts';
import { createPlans } from '../plan/plans.ts';
import type { ReplayDeps } from './begin.ts';
import { createReplays } from './replays.ts';

export interface ReplayParts {
  dynamo: Dynamo;
  eventsTable: string;
  logTable: string;
  checkpointsTable: string;
  recoveryTable: string;
  /** Name of the deployment. */
  deployment: string;
  wakeUps: WakeUps;
  /** `clock` = the server clock. */
  world: World;
  logger: Logger;
  metrics: Metrics;
}

export function composeReplay(parts: ReplayParts): ReplayDeps {
  const { world, eventsTable, logTable, checkpointsTable, recoveryTable, deployment, wakeUps, logger, metrics } = parts;
  const dynamo = withRetries(parts.dynamo, world);
  const recovery = { dynamo, table: recoveryTable };
  return {
    dynamo,
    eventsTable,
    logTable,
    recoveryTable,
    deployment,
    checkpoints: createCheckpoints({ dynamo, table: checkpointsTable, world }),
    registry: createRegistry({ dynamo, checkpointsTable }),
    log: createLog({ dynamo, logTable, world }),
    openGaps: createOpenGaps({ ...recovery, world }),
    leases: createLeases(recovery),
    plans: createPlans({ ...recovery, world }),
    replays: createReplays(recovery),
    audit: createAudit({ ...recovery, world }),
    wakeUps,
    world,
    logger,
    metrics,
  };
}
