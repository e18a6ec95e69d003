// The archive: one step of the chain of exports by its schedule ({ "action": "step" }), a look or a full export for operators;
// see lib/recovery/archive/request.ts.
// Reads EVENTS_TABLE_ARN, RECOVERY_TABLE, ARCHIVE_BUCKET, ARCHIVE_SPAN_MINUTES and, when the bucket has one, ARCHIVE_KEY_ID.

import { createDynamoControlClient } from '../../lib/platform/aws-clients.ts';
import { createDynamo, createDynamoClient } from '../../lib/platform/dynamodb/client.ts';
import { withRetries } from '../../lib/platform/dynamodb/with-retries.ts';
import { environmentOf } from '../../lib/platform/environment.ts';
import { createObservability, lambdaPipeline } from '../../lib/platform/lambda-pipeline.ts';
import { answeringErrors } from '../../lib/platform/operation.ts';
import { createServerClock } from '../../lib/platform/server-clock.ts';
import { createWorld } from '../../lib/platform/world.ts';
import { ARCHIVE_PREFIX } from '../../lib/recovery/archive/places.ts';
import { answerArchive } from '../../lib/recovery/archive/request.ts';
import { createArchiveRows } from '../../lib/recovery/archive/rows.ts';
import { createTableExports } from '../../lib/recovery/archive/table-exports.ts';
import { createAudit } from '../../lib/recovery/audit/audit.ts';

const environment = environmentOf(process.env);
const observability = createObservability();
const { logger, metrics, tracing } = observability;
const machine = createWorld();
const clock = createServerClock(machine.clock);
const dynamo = withRetries(createDynamo(tracing.captureClient(createDynamoClient()), { serverClock: clock }), machine);
const recovery = { dynamo, table: environment.required('RECOVERY_TABLE') };

const archive = {
  rows: createArchiveRows(recovery),
  exports: createTableExports({
    client: tracing.captureClient(createDynamoControlClient()),
    tableArn: environment.required('EVENTS_TABLE_ARN'),
    bucket: environment.required('ARCHIVE_BUCKET'),
    prefix: ARCHIVE_PREFIX,
    kmsKeyId: environment.optional('ARCHIVE_KEY_ID'),
  }),
  audit: createAudit({ ...recovery, world: { ...machine, clock } }),
  clock,
  logger,
  metrics,
  spanMs: environment.integer('ARCHIVE_SPAN_MINUTES', { min: 15, max: 24 * 60 }) * 60_000,
};

export const handler = lambdaPipeline(
  answeringErrors((event: unknown, context: { awsRequestId: string }) =>
    answerArchive(archive, event, context.awsRequestId),
  ),
  observability,
);
