// The recovery's eyes: { step: 'begin', id, input } validates and takes leases: bad input and refusals are an answer with their
// code; { step: 'look', state } looks, diagnoses the first time, and decides what comes next. Called by the state machine.
// Reads CHECKPOINTS_TABLE, DEAD_LETTERS_TABLE and RECOVERY_TABLE.

import { createDeadLetters } from '../../lib/flow/dead-letter/dead-letters.ts';
import { createRegistry } from '../../lib/flow/registry/registry.ts';
import { createSqsClient } from '../../lib/platform/aws-clients.ts';
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
import { noSigns } from '../../lib/recovery/recover/aws-signs.ts';
import { checkDiagnoseRequest } from '../../lib/recovery/recover/machine-input.ts';
import { beginRecovery, lookAgain, type RecoverDeps } from '../../lib/recovery/recover/recover.ts';

const environment = environmentOf(process.env);
const observability = createObservability();
const { logger, tracing } = observability;
const machine = createWorld();
const serverClock = createServerClock(machine.clock);
const world = { ...machine, clock: serverClock };
const dynamo = createDynamo(tracing.captureClient(createDynamoClient()), { serverClock });
const recovery = { dynamo, table: environment.required('RECOVERY_TABLE') };

const deps: RecoverDeps = {
  registry: createRegistry({ dynamo, checkpointsTable: environment.required('CHECKPOINTS_TABLE') }),
  deadLetters: createDeadLetters({ dynamo, table: environment.required('DEAD_LETTERS_TABLE'), world }),
  openGaps: createOpenGaps(recovery),
  scans: createScanStates(recovery),
  signs: noSigns,
  leases: createLeases(recovery),
  queues: createQueueSigns({ sqs: tracing.captureClient(createSqsClient()), logger }),
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
