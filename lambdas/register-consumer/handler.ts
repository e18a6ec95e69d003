// Custom resource function: writes a consumer into the registry when its stack is deployed, changed or removed. Answers
// CloudFormation itself, always; see lib/flow/registry/consumer-resource.ts.
// Reads CHECKPOINTS_TABLE and LOG_TABLE.

import { createLog } from '../../lib/flow/log/log.ts';
import { handleConsumerResource } from '../../lib/flow/registry/consumer-resource.ts';
import { createRegistry } from '../../lib/flow/registry/registry.ts';
import { createResourceAnswers } from '../../lib/platform/cloudformation-answer.ts';
import { createDynamo, createDynamoClient } from '../../lib/platform/dynamodb/client.ts';
import { withRetries } from '../../lib/platform/dynamodb/with-retries.ts';
import { environmentOf } from '../../lib/platform/environment.ts';
import { createObservability, lambdaPipeline } from '../../lib/platform/lambda-pipeline.ts';
import { createWorld } from '../../lib/platform/world.ts';

const world = createWorld();
const observability = createObservability();
const environment = environmentOf(process.env);
const dynamo = withRetries(createDynamo(observability.tracing.captureClient(createDynamoClient())), world);
const answers = createResourceAnswers(world);

// Tables are read at the first request, not here: with a missing variable the function still answers, and says which.
const registry = () => createRegistry({ dynamo, checkpointsTable: environment.required('CHECKPOINTS_TABLE') });
const log = () => createLog({ dynamo, logTable: environment.required('LOG_TABLE'), world });

export const handler = lambdaPipeline(
  (event: unknown, context) =>
    handleConsumerResource(event, context.getRemainingTimeInMillis(), {
      registry: {
        announce: async (...input) => registry().announce(...input),
        register: async (...input) => registry().register(...input),
        retire: async (...input) => registry().retire(...input),
      },
      log: { head: async () => log().head() },
      answers,
      clock: world.clock,
      timers: world.timers,
      logger: observability.logger,
    }),
  observability,
);
