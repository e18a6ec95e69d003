// A drill in AWS: invoked monthly by its schedule, daily with { "action": "check" }, and by whoever wants one now with {}.
// Reads EVENTS_TABLE, LOG_TABLE, DEAD_LETTERS_TABLE, RECOVERY_TABLE, DRILL_TABLE, STATE_MACHINE_ARN and ARCHIVE_BUCKET.

import { SFNClient } from '@aws-sdk/client-sfn';
import { createDeadLetters } from '../../lib/flow/dead-letter/dead-letters.ts';
import { createEventStore } from '../../lib/flow/event-store/event-store.ts';
import { clientOptions, createS3Client, MESSAGING_LIMITS } from '../../lib/platform/aws-clients.ts';
import { createDynamo, createDynamoClient } from '../../lib/platform/dynamodb/client.ts';
import { environmentOf } from '../../lib/platform/environment.ts';
import { createObservability, lambdaPipeline } from '../../lib/platform/lambda-pipeline.ts';
import { answeringErrors } from '../../lib/platform/operation.ts';
import { createServerClock } from '../../lib/platform/server-clock.ts';
import { createWorld } from '../../lib/platform/world.ts';
import { createDrillEffects } from '../../lib/recovery/drill/deployed/effects.ts';
import { createDrillRecords } from '../../lib/recovery/drill/deployed/records.ts';
import { runDeployedDrill } from '../../lib/recovery/drill/deployed/run.ts';
import { createLeases } from '../../lib/recovery/lease/leases.ts';
import { runRecovery } from '../../lib/recovery/recover/run-recovery.ts';

const environment = environmentOf(process.env);
const observability = createObservability();
const { logger, metrics, tracing } = observability;
const machine = createWorld();
const serverClock = createServerClock(machine.clock);
const world = { ...machine, clock: serverClock };
const dynamo = createDynamo(tracing.captureClient(createDynamoClient()), { serverClock });
const table = environment.required('RECOVERY_TABLE');
const recovery = {
  sfn: tracing.captureClient(new SFNClient(clientOptions(MESSAGING_LIMITS))),
  s3: tracing.captureClient(createS3Client()),
  stateMachineArn: environment.required('STATE_MACHINE_ARN'),
  bucket: environment.required('ARCHIVE_BUCKET'),
  world,
};
/** What is left of the function's fifteen minutes when the other parts have used all of theirs. */
const RECOVERY_LIMIT_MS = 6 * 60_000;

const drill = {
  eventStore: createEventStore({
    dynamo,
    world,
    eventsTable: environment.required('EVENTS_TABLE'),
    logTable: environment.required('LOG_TABLE'),
  }),
  deadLetters: createDeadLetters({ dynamo, table: environment.required('DEAD_LETTERS_TABLE'), world }),
  effects: createDrillEffects({ dynamo, table: environment.required('DRILL_TABLE') }),
  records: createDrillRecords({ dynamo, table }),
  leases: createLeases({ dynamo, table }),
  recover: (input: unknown) => runRecovery(recovery, input, { limitMs: RECOVERY_LIMIT_MS }),
  world,
  logger,
  metrics,
};

export const handler = lambdaPipeline(
  answeringErrors((input: unknown, _context) => runDeployedDrill(drill, input)),
  observability,
);
