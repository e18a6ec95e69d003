// A consumer as a Lambda function: environment, AWS clients, Powertools and middy around the composed consumer. Loaded and
// run at the first invocation only; everything here lives as long as the process and holds no state of an invocation.

import { InvalidInputError } from '../../model/errors.ts';
import { createSqsClient } from '../../platform/aws-clients.ts';
import { createDynamo, createDynamoClient } from '../../platform/dynamodb/client.ts';
import { type Environment, environmentOf } from '../../platform/environment.ts';
import type { LambdaContext } from '../../platform/lambda-context.ts';
import { createObservability, type LambdaHandler, lambdaPipeline } from '../../platform/lambda-pipeline.ts';
import { createServerClock } from '../../platform/server-clock.ts';
import { createWorld } from '../../platform/world.ts';
import type { BatchResponse } from './batch-handler.ts';
import { composeConsumer } from './compose-consumer.ts';
import type { CompleteDeclaration } from './declaration.ts';
import type { React } from './port.ts';
import { createWakeUps } from './wake-ups.ts';

/** EventConsumer sets 15 days; at most ten years, so that a typing error in the unit is noticed. */
const MARKER_TTL_SECONDS = { min: 60, max: 10 * 366 * 86_400 };

/**
 * Reads EVENTS_TABLE, LOG_TABLE, CHECKPOINTS_TABLE, DEAD_LETTERS_TABLE, IDEMPOTENCY_TABLE, RECOVERY_TABLE (optional),
 * CONSUMER_NAME, QUEUE_URL, MARKER_TTL_SECONDS.
 * @throws InvalidInputError `MISSING_ENVIRONMENT`, `INVALID_ENVIRONMENT`, `CONSUMER_NAME_DIFFERS`
 */
export function createConsumerFunction({
  declaration,
  react,
}: {
  declaration: CompleteDeclaration;
  react: React;
}): LambdaHandler<unknown, BatchResponse> {
  const environment = environmentOf(process.env);
  checkName(environment, declaration);
  const world = createWorld();
  const observability = createObservability();
  const { logger, metrics, tracing } = observability;
  const serverClock = createServerClock(world.clock);
  const handle = composeConsumer({
    declaration,
    react,
    tables: {
      eventsTable: environment.required('EVENTS_TABLE'),
      logTable: environment.required('LOG_TABLE'),
      checkpointsTable: environment.required('CHECKPOINTS_TABLE'),
      deadLettersTable: environment.required('DEAD_LETTERS_TABLE'),
      idempotencyTable: environment.required('IDEMPOTENCY_TABLE'),
      recoveryTable: environment.optional('RECOVERY_TABLE'),
    },
    dynamo: createDynamo(tracing.captureClient(createDynamoClient()), { serverClock }),
    wakeUps: createWakeUps({ sqs: tracing.captureClient(createSqsClient()), world }),
    queueUrl: environment.required('QUEUE_URL'),
    markerTtlMs: environment.integer('MARKER_TTL_SECONDS', MARKER_TTL_SECONDS) * 1_000,
    serverClock,
    world,
    logger,
    metrics,
  });
  const run = (event: unknown, context: LambdaContext): Promise<BatchResponse> =>
    handle(event, { remainingMs: () => context.getRemainingTimeInMillis(), requestId: context.awsRequestId });
  return lambdaPipeline(run, observability);
}

/** A function with the code of one consumer and the queue of another would move checkpoints that are not its own. */
function checkName(environment: Environment, declaration: CompleteDeclaration): void {
  const deployed = environment.required('CONSUMER_NAME');
  if (deployed === declaration.name) return;
  throw new InvalidInputError('CONSUMER_NAME_DIFFERS', {
    what: 'consumer that the code defines',
    got: declaration.name,
    allowed: `"${deployed}", as deployed (CONSUMER_NAME)`,
    remedy: 'hand the declaration of defineConsumer to the EventConsumer construct',
  });
}
