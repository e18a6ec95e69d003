// Starts a recovery for what scans, scrubs and alarms tell, and looks after those that were cut off or have to wait. Called by
// rules of EventBridge with the event as it is.
// Reads STATE_MACHINE_ARN, CHECKPOINTS_TABLE, RECOVERY_TABLE and ALERTS_TOPIC_ARN.

import { createRegistry } from '../../lib/flow/registry/registry.ts';
import { createSnsClient, createStepFunctionsClient } from '../../lib/platform/aws-clients.ts';
import { createDynamo, createDynamoClient } from '../../lib/platform/dynamodb/client.ts';
import { environmentOf } from '../../lib/platform/environment.ts';
import { createObservability, lambdaPipeline } from '../../lib/platform/lambda-pipeline.ts';
import { createServerClock } from '../../lib/platform/server-clock.ts';
import { createWorld } from '../../lib/platform/world.ts';
import { createAlerts } from '../../lib/recovery/alert/alerts.ts';
import { createLeases } from '../../lib/recovery/lease/leases.ts';
import type { Sign } from '../../lib/recovery/start/decide-start.ts';
import { lookAfter } from '../../lib/recovery/start/look-after.ts';
import { type StartDeps, startRecovery } from '../../lib/recovery/start/start-recovery.ts';
import { createStarts } from '../../lib/recovery/start/starts.ts';

const environment = environmentOf(process.env);
const observability = createObservability();
const { logger, metrics, tracing } = observability;
const serverClock = createServerClock(createWorld().clock);
const dynamo = createDynamo(tracing.captureClient(createDynamoClient()), { serverClock });
const recovery = { dynamo, table: environment.required('RECOVERY_TABLE') };

const deps: StartDeps = {
  sfn: tracing.captureClient(createStepFunctionsClient()),
  stateMachineArn: environment.required('STATE_MACHINE_ARN'),
  starts: createStarts(recovery),
  leases: createLeases(recovery),
  alerts: createAlerts({
    ...recovery,
    sns: tracing.captureClient(createSnsClient()),
    topicArn: environment.required('ALERTS_TOPIC_ARN'),
    clock: serverClock,
  }),
  registry: createRegistry({ dynamo, checkpointsTable: environment.required('CHECKPOINTS_TABLE') }),
  logger,
  now: () => serverClock.now(),
};

export const handler = lambdaPipeline(async (event: Sign) => {
  const outcome = isSchedule(event) ? await lookAfter(deps) : await startRecovery(deps, event);
  metrics.count(`Recoveries-${outcome.kind}`);
  logger.info('start of a recovery', { ...outcome });
  return outcome;
}, observability);

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html */
const isSchedule = (event: Sign): boolean =>
  event?.source === 'aws.events' && event['detail-type'] === 'Scheduled Event';
