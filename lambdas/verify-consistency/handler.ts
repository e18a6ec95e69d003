// The verification: re-reads everything, accounts for every event, and asks the consumers' functions about their effects.
// Changes nothing. `{}` verifies all consumers here and now; `{ "step": "split" }` and its following steps verify any number
// of streams. Reads EVENTS_TABLE, LOG_TABLE, CHECKPOINTS_TABLE, DEAD_LETTERS_TABLE, RECOVERY_TABLE, ARCHIVE_BUCKET and
// VERIFY_BATCH_STREAMS.

import { createLambdaClient, createS3Client } from '../../lib/platform/aws-clients.ts';
import { createDynamo, createDynamoClient } from '../../lib/platform/dynamodb/client.ts';
import { environmentOf } from '../../lib/platform/environment.ts';
import { createObservability, lambdaPipeline } from '../../lib/platform/lambda-pipeline.ts';
import { answeringErrors } from '../../lib/platform/operation.ts';
import { createServerClock } from '../../lib/platform/server-clock.ts';
import { createWorld } from '../../lib/platform/world.ts';
import { listedViolations } from '../../lib/recovery/recover/listed-violations.ts';
import { createEffectQuestions } from '../../lib/recovery/verify/ask-function.ts';
import { BATCH_BOUNDS } from '../../lib/recovery/verify/batches.ts';
import { createVerificationFiles } from '../../lib/recovery/verify/files.ts';
import type { Verdict } from '../../lib/recovery/verify/types.ts';
import {
  addUpVerification,
  splitVerification,
  type VerificationDeps,
  verifyBatch,
} from '../../lib/recovery/verify/verification.ts';
import { verify } from '../../lib/recovery/verify/verify.ts';
import { checkVerifyRequest } from './request.ts';

const environment = environmentOf(process.env);
const observability = createObservability();
const { logger, metrics, tracing } = observability;
const machine = createWorld();
const serverClock = createServerClock(machine.clock);

// A consumer's function may take up to 15 minutes, and its answer is waited for.
const lambda = createLambdaClient({ requestTimeoutMs: 15 * 60_000, maxAttempts: 3 });

const deps: VerificationDeps = {
  dynamo: createDynamo(tracing.captureClient(createDynamoClient()), { serverClock }),
  tables: {
    events: environment.required('EVENTS_TABLE'),
    log: environment.required('LOG_TABLE'),
    checkpoints: environment.required('CHECKPOINTS_TABLE'),
    deadLetters: environment.required('DEAD_LETTERS_TABLE'),
    recovery: environment.required('RECOVERY_TABLE'),
  },
  questions: createEffectQuestions({ lambda: tracing.captureClient(lambda) }),
  files: createVerificationFiles({
    client: tracing.captureClient(createS3Client()),
    bucket: environment.required('ARCHIVE_BUCKET'),
  }),
  ids: machine.ids,
  bounds: {
    ...BATCH_BOUNDS,
    streams: environment.integer('VERIFY_BATCH_STREAMS', {
      min: 1,
      max: BATCH_BOUNDS.streams,
      default: BATCH_BOUNDS.streams,
    }),
  },
};

export const handler = lambdaPipeline(answeringErrors(answer), observability);

async function answer(input: unknown): Promise<unknown> {
  const request = checkVerifyRequest(input);
  const now = serverClock.now();
  if (request.step === undefined) return told(await verify(deps, { ...request, now }), request.listed);
  if (request.step === 'batch') {
    const sums = await verifyBatch(deps, request);
    logger.info('verified a batch', { run: request.run, ...sums });
    return sums;
  }
  if (request.step === 'add-up') {
    const { verdict, listed } = await addUpVerification(deps, request);
    return told(verdict, listed);
  }
  const split = await splitVerification(deps, { ...request, now });
  if (!('batches' in split)) return told(split, request.listed);
  logger.info('split into batches', { run: split.run, streams: split.streams, batches: split.batches.length });
  return split;
}

/** Logged, counted, and as short as was asked for. */
function told(verdict: Verdict, listed: number | undefined): Verdict {
  const { violations, ...numbers } = verdict;
  logger[verdict.ok ? 'info' : 'error']('verified', { ...numbers, violations: violations.slice(0, 10) });
  metrics.count('Violations', verdict.violationCount);
  for (const { consumer, conservation, effects } of verdict.consumers) {
    metrics.count('EffectViolations', effects.violations, 'Count', { consumer });
    metrics.count('UnaccountedEvents', conservation.gap, 'Count', { consumer });
  }
  return { ...verdict, violations: listedViolations(violations, listed) };
}
