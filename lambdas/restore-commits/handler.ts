// Restore: invoked by an operator (console, CLI, state machine) with the JSON of docs/operations/restore.md, and every minute by
// its schedule with { "action": "continue" }. Errors of an operator's call are an answer with their code.
// Reads EVENTS_TABLE, LOG_TABLE, CHECKPOINTS_TABLE, RECOVERY_TABLE, ARCHIVE_BUCKET and EVENT_BUS_NAME.

import { createContinuations } from '../../lib/flow/relay/bus.ts';
import {
  ARCHIVE_LIMITS,
  createDynamoControlClient,
  createEventBridgeClient,
  createS3Client,
} from '../../lib/platform/aws-clients.ts';
import { createDynamo, createDynamoClient } from '../../lib/platform/dynamodb/client.ts';
import { environmentOf } from '../../lib/platform/environment.ts';
import type { LambdaContext } from '../../lib/platform/lambda-context.ts';
import { createObservability, lambdaPipeline } from '../../lib/platform/lambda-pipeline.ts';
import { createServerClock } from '../../lib/platform/server-clock.ts';
import { createWorld } from '../../lib/platform/world.ts';
import { createObjects } from '../../lib/recovery/archive/objects.ts';
import { briefly } from '../../lib/recovery/recover/brief.ts';
import { composeRestore } from '../../lib/recovery/restore/compose.ts';
import { createPointInTime } from '../../lib/recovery/restore/point-in-time.ts';
import { answerRestore } from '../../lib/recovery/restore/restore.ts';

const environment = environmentOf(process.env);
const observability = createObservability();
const { logger, tracing } = observability;
const machine = createWorld();
const serverClock = createServerClock(machine.clock);
const eventsTable = environment.required('EVENTS_TABLE');

const restore = composeRestore({
  // A garbage number must not keep a stream from being looked at.
  dynamo: createDynamo(tracing.captureClient(createDynamoClient()), { serverClock, numbers: 'any' }),
  eventsTable,
  logTable: environment.required('LOG_TABLE'),
  checkpointsTable: environment.required('CHECKPOINTS_TABLE'),
  recoveryTable: environment.required('RECOVERY_TABLE'),
  objects: createObjects({
    client: tracing.captureClient(createS3Client(ARCHIVE_LIMITS)),
    bucket: environment.required('ARCHIVE_BUCKET'),
    ...machine,
  }),
  pointInTime: createPointInTime({ client: tracing.captureClient(createDynamoControlClient()), eventsTable }),
  continuations: createContinuations({
    client: tracing.captureClient(createEventBridgeClient()),
    busName: environment.required('EVENT_BUS_NAME'),
    world: machine,
  }),
  world: { ...machine, clock: serverClock },
  logger,
});

export const handler = lambdaPipeline(
  briefly('restore', (event, context: LambdaContext) =>
    answerRestore(restore, event, {
      remainingMs: () => context.getRemainingTimeInMillis(),
      requestId: context.awsRequestId,
    }),
  ),
  observability,
);
