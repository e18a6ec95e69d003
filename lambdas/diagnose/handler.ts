// The recovery's eyes: { step: 'begin', id, input } validates and takes leases: bad input and refusals are an answer with their
// code; { step: 'look', state } looks, diagnoses the first time, and decides what comes next. Called by the state machine.
// Reads the names of the tables, EVENT_BUS_NAME, RELAY_FUNCTION_ARN, RELAY_MAPPING_ARN, RELAY_FAILURES_BUCKET, DEAD_LETTER_QUEUES
// (ARNs with commas between them) and POWERTOOLS_METRICS_NAMESPACE.

import { createDeadLetters } from '../../lib/flow/dead-letter/dead-letters.ts';
import { createRegistry } from '../../lib/flow/registry/registry.ts';
import {
  createCloudWatchClient,
  createEventBridgeClient,
  createLambdaClient,
  createS3Client,
  createSqsClient,
} from '../../lib/platform/aws-clients.ts';
import { createDynamo, createDynamoClient } from '../../lib/platform/dynamodb/client.ts';
import { environmentOf } from '../../lib/platform/environment.ts';
import { createObservability, lambdaPipeline } from '../../lib/platform/lambda-pipeline.ts';
import { answeringErrors } from '../../lib/platform/operation.ts';
import { createServerClock } from '../../lib/platform/server-clock.ts';
import { createWorld } from '../../lib/platform/world.ts';
import { createOpenGaps } from '../../lib/recovery/gap/open-gaps.ts';
import { createQueueSigns } from '../../lib/recovery/gap/queue-signs.ts';
import { createScanStates } from '../../lib/recovery/gap/scan-state.ts';
import { createLeases } from '../../lib/recovery/lease/leases.ts';
import { createAwsSigns } from '../../lib/recovery/recover/ask-aws.ts';
import { checkDiagnoseRequest } from '../../lib/recovery/recover/machine-input.ts';
import { beginRecovery, lookAgain, type RecoverDeps } from '../../lib/recovery/recover/recover.ts';
import { createFindings } from '../../lib/recovery/scrub/findings.ts';

const environment = environmentOf(process.env);
const observability = createObservability();
const { logger, tracing } = observability;
const machine = createWorld();
const serverClock = createServerClock(machine.clock);
const world = { ...machine, clock: serverClock };
const dynamo = createDynamo(tracing.captureClient(createDynamoClient()), { serverClock });
const arnsIn = (list = ''): string[] => list.split(',').filter((arn) => arn !== '');
const lastOf = (arn: string): string => arn.slice(arn.lastIndexOf(':') + 1);
const sqs = tracing.captureClient(createSqsClient());
const recovery = { dynamo, table: environment.required('RECOVERY_TABLE') };

const deps: RecoverDeps = {
  registry: createRegistry({ dynamo, checkpointsTable: environment.required('CHECKPOINTS_TABLE') }),
  deadLetters: createDeadLetters({ dynamo, table: environment.required('DEAD_LETTERS_TABLE'), world }),
  openGaps: createOpenGaps({ ...recovery, world }),
  scans: createScanStates(recovery),
  signs: createAwsSigns({
    lambda: tracing.captureClient(createLambdaClient()),
    cloudWatch: tracing.captureClient(createCloudWatchClient()),
    events: tracing.captureClient(createEventBridgeClient()),
    sqs,
    s3: tracing.captureClient(createS3Client()),
    logger,
    busName: environment.required('EVENT_BUS_NAME'),
    relay: {
      functionName: lastOf(environment.required('RELAY_FUNCTION_ARN')),
      mappingId: lastOf(environment.required('RELAY_MAPPING_ARN')),
    },
    failuresBucket: environment.required('RELAY_FAILURES_BUCKET'),
    deadLetterQueues: arnsIn(environment.optional('DEAD_LETTER_QUEUES')).map(lastOf),
    tables: ['EVENTS_TABLE', 'LOG_TABLE', 'CHECKPOINTS_TABLE', 'DEAD_LETTERS_TABLE', 'RECOVERY_TABLE'].map((name) =>
      environment.required(name),
    ),
    namespace: environment.required('POWERTOOLS_METRICS_NAMESPACE'),
  }),
  leases: createLeases(recovery),
  queues: createQueueSigns({ sqs, logger }),
  findings: createFindings({ ...recovery, world }),
  world,
};

const begin = answeringErrors((input: { id: string; input: unknown }, _context: unknown) => beginRecovery(deps, input));

export const handler = lambdaPipeline(async (event: unknown, context) => {
  const request = checkDiagnoseRequest(event);
  if (request.step === 'begin') return begin(request, context);
  const progress = await lookAgain(deps, request.state);
  const { id, round, next, left } = progress;
  logger.info('looked at', { id, round, next, left });
  return progress;
}, observability);
