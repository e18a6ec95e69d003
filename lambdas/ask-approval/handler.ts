// A recovery asks whether it may overwrite: { token, timeoutSeconds, progress }. Called by the state machine, which waits for the
// token. Reads RECOVERY_TABLE and ALERTS_TOPIC_ARN.

import { createSnsClient, createStepFunctionsClient } from '../../lib/platform/aws-clients.ts';
import { createDynamo, createDynamoClient } from '../../lib/platform/dynamodb/client.ts';
import { environmentOf } from '../../lib/platform/environment.ts';
import { createObservability, lambdaPipeline } from '../../lib/platform/lambda-pipeline.ts';
import { createServerClock } from '../../lib/platform/server-clock.ts';
import { createWorld } from '../../lib/platform/world.ts';
import { createApprovals } from '../../lib/recovery/approval/approvals.ts';
import { askApproval } from '../../lib/recovery/approval/ask-approval.ts';
import { checkAskInput } from '../../lib/recovery/recover/machine-input.ts';

const environment = environmentOf(process.env);
const observability = createObservability();
const { tracing } = observability;
const serverClock = createServerClock(createWorld().clock);
const dynamo = createDynamo(tracing.captureClient(createDynamoClient()), { serverClock });

const deps = {
  approvals: createApprovals({ dynamo, table: environment.required('RECOVERY_TABLE') }),
  sfn: tracing.captureClient(createStepFunctionsClient()),
  sns: tracing.captureClient(createSnsClient()),
  topicArn: environment.required('ALERTS_TOPIC_ARN'),
  now: () => serverClock.now(),
};

export const handler = lambdaPipeline((request: unknown) => askApproval(deps, checkAskInput(request)), observability);
