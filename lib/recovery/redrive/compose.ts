// The redrive operation made of its stores over one `Dynamo`.

import { createCheckpoints } from '../../flow/checkpoint/checkpoints.ts';
import type { WakeUps } from '../../flow/consumer/port.ts';
import { createDeadLetters } from '../../flow/dead-letter/dead-letters.ts';
import { createLog } from '../../flow/log/log.ts';
import { createRegistry } from '../../flow/registry/registry.ts';
import type { World } from '../../platform/clock.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import { withRetries } from '../../platform/dynamodb/with-retries.ts';
import type { Logger } from '../../platform/logging.ts';
import { createAudit } from '../audit/audit.ts';
import { createOpenGaps } from '../gap/open-gaps.ts';
import { createLeases } from '../lease/leases.ts';
import { createPlansOf } from '../plan/plans.ts';
import { REDRIVE_MODES, type RedrivePlan } from './plan-redrive.ts';
import type { RedriveDeps } from './redrive.ts';
import { createRedriveRuns } from './runs.ts';

export interface RedriveParts {
  dynamo: Dynamo;
  eventsTable: string;
  logTable: string;
  checkpointsTable: string;
  deadLettersTable: string;
  recoveryTable: string;
  /** Name of the deployment. */
  deployment: string;
  wakeUps: WakeUps;
  /** `clock` = the server clock. */
  world: World;
  logger: Logger;
}

export function composeRedrive({ world, logger, wakeUps, ...parts }: RedriveParts): RedriveDeps {
  const dynamo = withRetries(parts.dynamo, world);
  const recovery = { dynamo, table: parts.recoveryTable };
  return {
    dynamo,
    eventsTable: parts.eventsTable,
    deployment: parts.deployment,
    log: createLog({ dynamo, logTable: parts.logTable, world }),
    plans: createPlansOf<RedrivePlan>({ ...recovery, world }, REDRIVE_MODES),
    checkpoints: createCheckpoints({ dynamo, table: parts.checkpointsTable, world }),
    deadLetters: createDeadLetters({ dynamo, table: parts.deadLettersTable, world }),
    registry: createRegistry({ dynamo, checkpointsTable: parts.checkpointsTable }),
    openGaps: createOpenGaps({ ...recovery, world }),
    leases: createLeases(recovery),
    runs: createRedriveRuns(recovery),
    audit: createAudit({ ...recovery, world }),
    wakeUps,
    world,
    logger,
  };
}
