// A person's answer to a recovery that asks: { decision: 'approve' | 'refuse', id, requestedBy, reason }. Who may invoke it may
// let recoveries overwrite. Reads RECOVERY_TABLE.

import { createStepFunctionsClient } from '../../lib/platform/aws-clients.ts';
import { createDynamo, createDynamoClient } from '../../lib/platform/dynamodb/client.ts';
import { environmentOf } from '../../lib/platform/environment.ts';
import { createObservability, lambdaPipeline } from '../../lib/platform/lambda-pipeline.ts';
import { answeringErrors } from '../../lib/platform/operation.ts';
import { createServerClock } from '../../lib/platform/server-clock.ts';
import { createWorld } from '../../lib/platform/world.ts';
import { createApprovals } from '../../lib/recovery/approval/approvals.ts';
import { decideApproval } from '../../lib/recovery/approval/decide-approval.ts';
import { createAudit } from '../../lib/recovery/audit/audit.ts';

const environment = environmentOf(process.env);
const observability = createObservability();
const { logger, tracing } = observability;
const machine = createWorld();
const serverClock = createServerClock(machine.clock);
const dynamo = createDynamo(tracing.captureClient(createDynamoClient()), { serverClock });
const recovery = { dynamo, table: environment.required('RECOVERY_TABLE') };

const deps = {
  dynamo,
  approvals: createApprovals(recovery),
  audit: createAudit({ ...recovery, world: { ...machine, clock: serverClock } }),
  sfn: tracing.captureClient(createStepFunctionsClient()),
  now: () => serverClock.now(),
};

export const handler = lambdaPipeline(
  answeringErrors(async (input: unknown, context: { awsRequestId: string }) => {
    const decided = await decideApproval(deps, input, context.awsRequestId);
    logger.info('decided', { ...decided });
    return decided;
  }),
  observability,
);
