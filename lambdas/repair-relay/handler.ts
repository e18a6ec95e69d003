// Relays a batch that the relay's event source mapping gave up on: invoked by EventBridge when Lambda has written it to the
// relay-failures bucket, or by hand with { bucket, key }. See lib/flow/relay/repair.ts.
// Reads EVENTS_TABLE, LOG_TABLE, EVENT_BUS_NAME and RELAY_FAILURES_BUCKET.

import { composeRelay } from '../../lib/flow/relay/compose.ts';
import { createFailedBatches } from '../../lib/flow/relay/failed-batches.ts';
import { createRelay } from '../../lib/flow/relay/relay.ts';
import { failedBatchObject, repairFailedBatch } from '../../lib/flow/relay/repair.ts';
import { createEventBridgeClient, createS3Client } from '../../lib/platform/aws-clients.ts';
import { createDynamo, createDynamoClient } from '../../lib/platform/dynamodb/client.ts';
import { environmentOf } from '../../lib/platform/environment.ts';
import { createObservability, lambdaPipeline } from '../../lib/platform/lambda-pipeline.ts';
import { createWorld } from '../../lib/platform/world.ts';

const environment = environmentOf(process.env);
const observability = createObservability();
const { logger, metrics, tracing } = observability;
const world = createWorld();
const failuresBucket = environment.required('RELAY_FAILURES_BUCKET');

const parts = composeRelay({
  dynamo: createDynamo(tracing.captureClient(createDynamoClient())),
  eventsTable: environment.required('EVENTS_TABLE'),
  logTable: environment.required('LOG_TABLE'),
  publish: {
    client: tracing.captureClient(createEventBridgeClient()),
    busName: environment.required('EVENT_BUS_NAME'),
  },
  world,
  logger,
  metrics,
});
const repair = {
  relay: createRelay(parts),
  failedBatches: createFailedBatches(tracing.captureClient(createS3Client())),
  incidents: parts.incidents,
  clock: world.clock,
  logger,
};

export const handler = lambdaPipeline(
  (event: unknown, context) =>
    repairFailedBatch(repair, failedBatchObject(event, failuresBucket), {
      remainingMs: () => context.getRemainingTimeInMillis(),
    }),
  observability,
);
