// Enables the rule of a consumer: { action: 'plan' | 'apply', rule, consumer, approvedBy }. Called by the state machine, which asks
// for the approval. Reads RECOVERY_TABLE and EVENT_BUS_NAME.

import { createEventBridgeClient } from '../../lib/platform/aws-clients.ts';
import { createDynamo, createDynamoClient } from '../../lib/platform/dynamodb/client.ts';
import { environmentOf } from '../../lib/platform/environment.ts';
import type { LambdaContext } from '../../lib/platform/lambda-context.ts';
import { createObservability, lambdaPipeline } from '../../lib/platform/lambda-pipeline.ts';
import { answeringErrors } from '../../lib/platform/operation.ts';
import { createServerClock } from '../../lib/platform/server-clock.ts';
import { createWorld } from '../../lib/platform/world.ts';
import { createAudit } from '../../lib/recovery/audit/audit.ts';
import { enableRule } from '../../lib/recovery/enable/enable-rule.ts';
import { briefly } from '../../lib/recovery/recover/brief.ts';

const environment = environmentOf(process.env);
const observability = createObservability();
const { logger, tracing } = observability;
const machine = createWorld();
const serverClock = createServerClock(machine.clock);

const deps = {
  events: tracing.captureClient(createEventBridgeClient()),
  busName: environment.required('EVENT_BUS_NAME'),
  audit: createAudit({
    dynamo: createDynamo(tracing.captureClient(createDynamoClient()), { serverClock }),
    table: environment.required('RECOVERY_TABLE'),
    world: { ...machine, clock: serverClock },
  }),
};

export const handler = lambdaPipeline(
  briefly(
    'enable',
    answeringErrors(async (event: unknown, { awsRequestId }: LambdaContext) => {
      const answer = await enableRule(deps, event, awsRequestId);
      logger.info('rule', { ...answer });
      return answer;
    }),
  ),
  observability,
);
