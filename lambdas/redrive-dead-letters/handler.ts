// Redrive: invoked by an operator (console, CLI, state machine) with the JSON of docs/operations/redrive-dead-letters.md, and
// every minute by its schedule with { "action": "continue" }. Errors of an operator's call are an answer with their code.
// Reads EVENTS_TABLE, LOG_TABLE, CHECKPOINTS_TABLE, DEAD_LETTERS_TABLE, RECOVERY_TABLE and DEPLOYMENT.

import { createWakeUps } from '../../lib/flow/consumer/wake-ups.ts';
import { createSqsClient } from '../../lib/platform/aws-clients.ts';
import { createDynamo, createDynamoClient } from '../../lib/platform/dynamodb/client.ts';
import { environmentOf } from '../../lib/platform/environment.ts';
import type { LambdaContext } from '../../lib/platform/lambda-context.ts';
import { createObservability, lambdaPipeline } from '../../lib/platform/lambda-pipeline.ts';
import { createServerClock } from '../../lib/platform/server-clock.ts';
import { createWorld } from '../../lib/platform/world.ts';
import { briefly } from '../../lib/recovery/recover/brief.ts';
import { composeRedrive } from '../../lib/recovery/redrive/compose.ts';
import { answerRedrive } from '../../lib/recovery/redrive/redrive.ts';

const environment = environmentOf(process.env);
const observability = createObservability();
const { logger, tracing } = observability;
const machine = createWorld();
const serverClock = createServerClock(machine.clock);

const redrive = composeRedrive({
  dynamo: createDynamo(tracing.captureClient(createDynamoClient()), { serverClock }),
  eventsTable: environment.required('EVENTS_TABLE'),
  logTable: environment.required('LOG_TABLE'),
  checkpointsTable: environment.required('CHECKPOINTS_TABLE'),
  deadLettersTable: environment.required('DEAD_LETTERS_TABLE'),
  recoveryTable: environment.required('RECOVERY_TABLE'),
  deployment: environment.required('DEPLOYMENT'),
  wakeUps: createWakeUps({ sqs: tracing.captureClient(createSqsClient()), world: machine }),
  world: { ...machine, clock: serverClock },
  logger,
});

export const handler = lambdaPipeline(
  briefly('redrive', (event, context: LambdaContext) =>
    answerRedrive(redrive, event, {
      remainingMs: () => context.getRemainingTimeInMillis(),
      requestId: context.awsRequestId,
    }),
  ),
  observability,
);
