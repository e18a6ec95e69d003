// A consumer as a Lambda function: environment, AWS clients, Powertools and middy around the composed consumer. Loaded and
// run at the first invocation only; everything here lives as long as the process and holds no state of an invocation.

import { type EffectCheckAnswer, type EffectCheckRequest, isEffectCheck } from '../../model/effect-check.ts';
import { InvalidInputError } from '../../model/errors.ts';
import { createSqsClient } from '../../platform/aws-clients.ts';
import { createDynamo, createDynamoClient } from '../../platform/dynamodb/client.ts';
import { type Environment, environmentOf } from '../../platform/environment.ts';
import type { LambdaContext } from '../../platform/lambda-context.ts';
import { createObservability, lambdaPipeline } from '../../platform/lambda-pipeline.ts';
import { createServerClock } from '../../platform/server-clock.ts';
import { createWorld } from '../../platform/world.ts';
import { createEventStore } from '../event-store/event-store.ts';
import type { BatchResponse } from './batch-handler.ts';
import { composeConsumer } from './compose-consumer.ts';
import type { CompleteDeclaration } from './declaration.ts';
import type { React } from './port.ts';
import { verifyEffects } from './verify-effects.ts';
import type { Verify, VerifyWhole } from './verify-port.ts';
import { createWakeUps } from './wake-ups.ts';

/** EventConsumer sets 15 days; at most ten years, so that a typing error in the unit is noticed. */
const MARKER_TTL_SECONDS = { min: 60, max: 10 * 366 * 86_400 };

/** What a consumer's author wrote. */
export interface ConsumerCode {
  declaration: CompleteDeclaration;
  react: React;
  verify?: Verify;
  verifyWhole?: VerifyWhole;
}

/** A question of the verification is answered with what was found, a batch of its queue with what failed. */
export interface ConsumerHandler {
  (question: EffectCheckRequest, context: LambdaContext): Promise<EffectCheckAnswer>;
  (batch: unknown, context: LambdaContext): Promise<BatchResponse>;
}

/**
 * Reads EVENTS_TABLE, LOG_TABLE, CHECKPOINTS_TABLE, DEAD_LETTERS_TABLE, IDEMPOTENCY_TABLE, RECOVERY_TABLE (optional),
 * CONSUMER_NAME, QUEUE_URL, MARKER_TTL_SECONDS.
 * @throws InvalidInputError `MISSING_ENVIRONMENT`, `INVALID_ENVIRONMENT`, `CONSUMER_NAME_DIFFERS`
 */
export function createConsumerFunction({ declaration, react, verify, verifyWhole }: ConsumerCode): ConsumerHandler {
  const environment = environmentOf(process.env);
  checkName(environment, declaration);
  const world = createWorld();
  const observability = createObservability();
  const { logger, metrics, tracing } = observability;
  const serverClock = createServerClock(world.clock);
  const tables = {
    eventsTable: environment.required('EVENTS_TABLE'),
    logTable: environment.required('LOG_TABLE'),
    checkpointsTable: environment.required('CHECKPOINTS_TABLE'),
    deadLettersTable: environment.required('DEAD_LETTERS_TABLE'),
    idempotencyTable: environment.required('IDEMPOTENCY_TABLE'),
    recoveryTable: environment.optional('RECOVERY_TABLE'),
  };
  const dynamo = createDynamo(tracing.captureClient(createDynamoClient()), { serverClock });
  const handle = composeConsumer({
    declaration,
    react,
    tables,
    dynamo,
    wakeUps: createWakeUps({ sqs: tracing.captureClient(createSqsClient()), world }),
    queueUrl: environment.required('QUEUE_URL'),
    markerTtlMs: environment.integer('MARKER_TTL_SECONDS', MARKER_TTL_SECONDS) * 1_000,
    serverClock,
    world,
    logger,
    metrics,
  });
  const checking = {
    consumer: declaration.name,
    verify,
    verifyWhole,
    eventStore: createEventStore({ dynamo, world, ...tables }),
    timers: world.timers,
    logger,
  };
  const run = (event: unknown, context: LambdaContext): Promise<BatchResponse | EffectCheckAnswer> => {
    const invocation = { remainingMs: () => context.getRemainingTimeInMillis(), requestId: context.awsRequestId };
    return isEffectCheck(event) ? verifyEffects(checking, event, invocation) : handle(event, invocation);
  };
  return lambdaPipeline(run, observability) as ConsumerHandler;
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
