// The intake made of its stores over one `Dynamo`.

import { createCheckpoints } from '../../flow/checkpoint/checkpoints.ts';
import type { WakeUps } from '../../flow/consumer/port.ts';
import { createDeadLetters } from '../../flow/dead-letter/dead-letters.ts';
import { createRegistry } from '../../flow/registry/registry.ts';
import type { World } from '../../platform/clock.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import { withRetries } from '../../platform/dynamodb/with-retries.ts';
import type { Logger } from '../../platform/logging.ts';
import type { Metrics } from '../../platform/metrics.ts';
import { createAlerts, type SnsPublisher } from '../alert/alerts.ts';
import { createOpenGaps } from '../gap/open-gaps.ts';
import type { IntakeEventDeps } from './handle-event.ts';
import { createIntakeRows } from './intake-rows.ts';

export interface IntakeParts {
  dynamo: Dynamo;
  checkpointsTable: string;
  deadLettersTable: string;
  recoveryTable: string;
  sns: SnsPublisher;
  topicArn: string;
  wakeUps: WakeUps;
  /** `clock` = the server clock. */
  world: World;
  logger: Logger;
  metrics: Metrics;
}

export function composeIntake({ world, wakeUps, logger, metrics, ...parts }: IntakeParts): IntakeEventDeps {
  const dynamo = withRetries(parts.dynamo, world);
  const recovery = { dynamo, table: parts.recoveryTable };
  return {
    dynamo,
    registry: createRegistry({ dynamo, checkpointsTable: parts.checkpointsTable }),
    checkpoints: createCheckpoints({ dynamo, table: parts.checkpointsTable, world }),
    deadLetters: createDeadLetters({ dynamo, table: parts.deadLettersTable, world }),
    openGaps: createOpenGaps({ ...recovery, world }),
    rows: createIntakeRows(recovery),
    alerts: createAlerts({ ...recovery, sns: parts.sns, topicArn: parts.topicArn, clock: world.clock }),
    wakeUps,
    clock: world.clock,
    logger,
    metrics,
  };
}
