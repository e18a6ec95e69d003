// The gap scan: invoked by its schedule, or by an operator with { dryRun, last, requestedBy, reason }; see lib/recovery/gap/scan.ts.
// Reads EVENTS_TABLE, LOG_TABLE, CHECKPOINTS_TABLE, RECOVERY_TABLE, DEPLOYMENT, EVENT_BUS_NAME, RELAY_FUNCTION_ARN and RELAY_MAPPING_ARN.

import { createWakeUps } from '../../lib/flow/consumer/wake-ups.ts';
import {
  createCloudWatchClient,
  createEventBridgeClient,
  createLambdaClient,
  createSqsClient,
} from '../../lib/platform/aws-clients.ts';
import { createDynamo, createDynamoClient } from '../../lib/platform/dynamodb/client.ts';
import { environmentOf } from '../../lib/platform/environment.ts';
import { createObservability, lambdaPipeline } from '../../lib/platform/lambda-pipeline.ts';
import { createServerClock } from '../../lib/platform/server-clock.ts';
import { createWorld } from '../../lib/platform/world.ts';
import { createAnnouncements } from '../../lib/recovery/gap/announcements.ts';
import { composeScan } from '../../lib/recovery/gap/compose.ts';
import { fillBatch } from '../../lib/recovery/gap/fill-batch.ts';
import { createQueueSigns } from '../../lib/recovery/gap/queue-signs.ts';
import { createRelayLag } from '../../lib/recovery/gap/relay-lag.ts';
import { answerScan } from '../../lib/recovery/gap/request.ts';
import { scanGaps } from '../../lib/recovery/gap/scan.ts';

const environment = environmentOf(process.env);
const observability = createObservability();
const { logger, metrics, tracing } = observability;
const machine = createWorld();
const serverClock = createServerClock(machine.clock);
const sqs = tracing.captureClient(createSqsClient());
const lastOf = (arn: string): string => arn.slice(arn.lastIndexOf(':') + 1);

const scan = composeScan({
  dynamo: createDynamo(tracing.captureClient(createDynamoClient()), { serverClock }),
  eventsTable: environment.required('EVENTS_TABLE'),
  logTable: environment.required('LOG_TABLE'),
  checkpointsTable: environment.required('CHECKPOINTS_TABLE'),
  recoveryTable: environment.required('RECOVERY_TABLE'),
  deployment: environment.required('DEPLOYMENT'),
  wakeUps: createWakeUps({ sqs, world: machine }),
  queues: createQueueSigns({ sqs, logger }),
  logLag: createRelayLag({
    lambda: tracing.captureClient(createLambdaClient()),
    cloudWatch: tracing.captureClient(createCloudWatchClient()),
    clock: machine.clock,
    logger,
    mappingId: lastOf(environment.required('RELAY_MAPPING_ARN')),
    functionName: lastOf(environment.required('RELAY_FUNCTION_ARN')),
  }),
  announcements: createAnnouncements({
    client: tracing.captureClient(createEventBridgeClient()),
    busName: environment.required('EVENT_BUS_NAME'),
  }),
  world: { ...machine, clock: serverClock },
  logger,
  metrics,
});

export const handler = lambdaPipeline(
  (event: unknown, context) =>
    answerScan(event, context.getRemainingTimeInMillis(), async (input, { last, fill, requestedBy, reason }) => {
      if (last) return { kind: 'last', result: (await scan.states.results(1))[0] };
      if (requestedBy !== undefined) logger.info('scan was asked for', { requestedBy, reason });
      if (fill !== undefined) return fillBatch(scan, fill, input.bounds);
      return scanGaps(scan, input);
    }),
  observability,
);
