// The relay: invoked by the Events table's DynamoDB stream, and by the bus entry in which a long backfill goes on.
// Needs ReportBatchItemFailures on the event source mapping; see lib/flow/relay/handle-event.ts.
// Reads EVENTS_TABLE, LOG_TABLE and EVENT_BUS_NAME.

import { composeRelay } from '../../lib/flow/relay/compose.ts';
import { handleRelayEvent } from '../../lib/flow/relay/handle-event.ts';
import { createRelay } from '../../lib/flow/relay/relay.ts';
import { createEventBridgeClient } from '../../lib/platform/aws-clients.ts';
import { createDynamo, createDynamoClient } from '../../lib/platform/dynamodb/client.ts';
import { environmentOf } from '../../lib/platform/environment.ts';
import { createObservability, lambdaPipeline } from '../../lib/platform/lambda-pipeline.ts';
import { createWorld } from '../../lib/platform/world.ts';

const environment = environmentOf(process.env);
const observability = createObservability();
const { logger, metrics, tracing } = observability;

const relay = createRelay(
  composeRelay({
    dynamo: createDynamo(tracing.captureClient(createDynamoClient())),
    eventsTable: environment.required('EVENTS_TABLE'),
    logTable: environment.required('LOG_TABLE'),
    publish: {
      client: tracing.captureClient(createEventBridgeClient()),
      busName: environment.required('EVENT_BUS_NAME'),
    },
    world: createWorld(),
    logger,
    metrics,
  }),
);

export const handler = lambdaPipeline(
  (event: unknown, context) => handleRelayEvent(relay, event, context),
  observability,
);
