// The scrub: re-reads what is stored and writes down what is not what was appended. Scheduled, or by hand:
// { last: true } answers where it stands, { rotate: true } begins now, { streamIds: [...] } looks at these streams.
// Reads EVENTS_TABLE, LOG_TABLE, RECOVERY_TABLE, EVENT_BUS_NAME, RELAY_FUNCTION_ARN, RELAY_MAPPING_ARN, ROTATION_DAYS and
// READ_UNITS_PER_SECOND.

import { createContinuations } from '../../lib/flow/relay/bus.ts';
import { createCloudWatchClient, createEventBridgeClient, createLambdaClient } from '../../lib/platform/aws-clients.ts';
import { createDynamo, createDynamoClient } from '../../lib/platform/dynamodb/client.ts';
import { environmentOf } from '../../lib/platform/environment.ts';
import { createObservability, lambdaPipeline } from '../../lib/platform/lambda-pipeline.ts';
import { answeringErrors } from '../../lib/platform/operation.ts';
import { createServerClock } from '../../lib/platform/server-clock.ts';
import { createWorld } from '../../lib/platform/world.ts';
import { createRelayLag } from '../../lib/recovery/gap/relay-lag.ts';
import { createDamageAnnouncements } from '../../lib/recovery/scrub/announcements.ts';
import { composeScrub } from '../../lib/recovery/scrub/compose.ts';
import {
  answerScrub,
  DEFAULT_READ_UNITS_PER_SECOND,
  DEFAULT_ROTATION_DAYS,
  READ_UNITS_PER_SECOND_MAX,
  ROTATION_DAYS_MAX,
} from '../../lib/recovery/scrub/request.ts';

const environment = environmentOf(process.env);
const observability = createObservability();
const { logger, metrics, tracing } = observability;
const machine = createWorld();
const serverClock = createServerClock(machine.clock);
const world = { ...machine, clock: serverClock };
const lastOf = (arn: string): string => arn.slice(arn.lastIndexOf(':') + 1);
const bus = {
  client: tracing.captureClient(createEventBridgeClient()),
  busName: environment.required('EVENT_BUS_NAME'),
};

const deps = composeScrub({
  // A garbage number must not keep a page of the scan from being read.
  dynamo: createDynamo(tracing.captureClient(createDynamoClient()), { serverClock, numbers: 'any' }),
  eventsTable: environment.required('EVENTS_TABLE'),
  logTable: environment.required('LOG_TABLE'),
  recoveryTable: environment.required('RECOVERY_TABLE'),
  continuations: createContinuations({ ...bus, world }),
  announcements: createDamageAnnouncements(bus),
  logLag: createRelayLag({
    lambda: tracing.captureClient(createLambdaClient()),
    cloudWatch: tracing.captureClient(createCloudWatchClient()),
    clock: machine.clock,
    logger,
    mappingId: lastOf(environment.required('RELAY_MAPPING_ARN')),
    functionName: lastOf(environment.required('RELAY_FUNCTION_ARN')),
  }),
  world,
  logger,
  metrics,
});
const settings = {
  rotationDays: environment.integer('ROTATION_DAYS', {
    min: 1,
    max: ROTATION_DAYS_MAX,
    default: DEFAULT_ROTATION_DAYS,
  }),
  readUnitsPerSecond: environment.integer('READ_UNITS_PER_SECOND', {
    min: 1,
    max: READ_UNITS_PER_SECOND_MAX,
    default: DEFAULT_READ_UNITS_PER_SECOND,
  }),
};

export const handler = lambdaPipeline(
  answeringErrors((event: unknown, context) =>
    answerScrub(deps, event, {
      settings,
      remainingMs: () => context.getRemainingTimeInMillis(),
      requestId: context.awsRequestId,
    }),
  ),
  observability,
);
