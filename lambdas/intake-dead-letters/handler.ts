// The dead-letter intake: invoked by the event source mappings of consumers' dead-letter queues (ReportBatchItemFailures), and
// every minute by its schedule with { "action": "announce" } to tell people about new dead letters.
// Reads CHECKPOINTS_TABLE, DEAD_LETTERS_TABLE, RECOVERY_TABLE and ALERTS_TOPIC_ARN.

import { createWakeUps } from '../../lib/flow/consumer/wake-ups.ts';
import { createSnsClient, createSqsClient } from '../../lib/platform/aws-clients.ts';
import { createDynamo, createDynamoClient } from '../../lib/platform/dynamodb/client.ts';
import { environmentOf } from '../../lib/platform/environment.ts';
import { createObservability, lambdaPipeline } from '../../lib/platform/lambda-pipeline.ts';
import { createServerClock } from '../../lib/platform/server-clock.ts';
import { createWorld } from '../../lib/platform/world.ts';
import { composeIntake } from '../../lib/recovery/dead-letter-intake/compose.ts';
import { handleIntakeEvent } from '../../lib/recovery/dead-letter-intake/handle-event.ts';

const environment = environmentOf(process.env);
const observability = createObservability();
const { logger, metrics, tracing } = observability;
const machine = createWorld();
const serverClock = createServerClock(machine.clock);

const intake = composeIntake({
  dynamo: createDynamo(tracing.captureClient(createDynamoClient()), { serverClock }),
  checkpointsTable: environment.required('CHECKPOINTS_TABLE'),
  deadLettersTable: environment.required('DEAD_LETTERS_TABLE'),
  recoveryTable: environment.required('RECOVERY_TABLE'),
  sns: tracing.captureClient(createSnsClient()),
  topicArn: environment.required('ALERTS_TOPIC_ARN'),
  wakeUps: createWakeUps({ sqs: tracing.captureClient(createSqsClient()), world: machine }),
  world: { ...machine, clock: serverClock },
  logger,
  metrics,
});

export const handler = lambdaPipeline((event: unknown) => handleIntakeEvent(intake, event), observability);
