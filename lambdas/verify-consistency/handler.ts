// The verification: re-reads everything, accounts for every event, and asks the consumers' functions about their effects.
// Changes nothing. `{}` verifies all consumers.
// Reads EVENTS_TABLE, LOG_TABLE, CHECKPOINTS_TABLE, DEAD_LETTERS_TABLE and RECOVERY_TABLE.

import { createLambdaClient } from '../../lib/platform/aws-clients.ts';
import { createDynamo, createDynamoClient } from '../../lib/platform/dynamodb/client.ts';
import { environmentOf } from '../../lib/platform/environment.ts';
import { createObservability, lambdaPipeline } from '../../lib/platform/lambda-pipeline.ts';
import { answeringErrors } from '../../lib/platform/operation.ts';
import { createServerClock } from '../../lib/platform/server-clock.ts';
import { createWorld } from '../../lib/platform/world.ts';
import { listedViolations } from '../../lib/recovery/recover/listed-violations.ts';
import { createEffectQuestions } from '../../lib/recovery/verify/ask-function.ts';
import { verify } from '../../lib/recovery/verify/verify.ts';
import { checkVerifyRequest } from './request.ts';

const environment = environmentOf(process.env);
const observability = createObservability();
const { logger, metrics, tracing } = observability;
const serverClock = createServerClock(createWorld().clock);

// A consumer's function may take up to 15 minutes, and its answer is waited for.
const lambda = createLambdaClient({ requestTimeoutMs: 15 * 60_000, maxAttempts: 3 });

const deps = {
  dynamo: createDynamo(tracing.captureClient(createDynamoClient()), { serverClock }),
  tables: {
    events: environment.required('EVENTS_TABLE'),
    log: environment.required('LOG_TABLE'),
    checkpoints: environment.required('CHECKPOINTS_TABLE'),
    deadLetters: environment.required('DEAD_LETTERS_TABLE'),
    recovery: environment.required('RECOVERY_TABLE'),
  },
  questions: createEffectQuestions({ lambda: tracing.captureClient(lambda) }),
};

export const handler = lambdaPipeline(
  answeringErrors(async (input: unknown) => {
    const { listed, ...request } = checkVerifyRequest(input);
    const verdict = await verify(deps, { ...request, now: serverClock.now() });
    const { violations, ...numbers } = verdict;
    logger[verdict.ok ? 'info' : 'error']('verified', { ...numbers, violations: violations.slice(0, 10) });
    metrics.count('Violations', verdict.violationCount);
    for (const { consumer, conservation, effects } of verdict.consumers) {
      metrics.count('EffectViolations', effects.violations, 'Count', { consumer });
      metrics.count('UnaccountedEvents', conservation.gap, 'Count', { consumer });
    }
    return { ...verdict, violations: listedViolations(violations, listed) };
  }),
  observability,
);
