// The end of a recovery: { accumulated, execution } becomes a report in the archive bucket, an announcement on the topic and the
// bus, and the leases are given back; one that is redriven goes on instead. Called by the state machine. Reads RECOVERY_TABLE, ARCHIVE_BUCKET, ALERTS_TOPIC_ARN, EVENT_BUS_NAME.

import { createEventBridgeClient, createS3Client, createSnsClient } from '../../lib/platform/aws-clients.ts';
import { createDynamo, createDynamoClient } from '../../lib/platform/dynamodb/client.ts';
import { environmentOf } from '../../lib/platform/environment.ts';
import { createObservability, lambdaPipeline } from '../../lib/platform/lambda-pipeline.ts';
import { createServerClock } from '../../lib/platform/server-clock.ts';
import { createWorld } from '../../lib/platform/world.ts';
import { createLeases } from '../../lib/recovery/lease/leases.ts';
import { checkAccumulated } from '../../lib/recovery/recover/machine-input.ts';
import { reportOrGoOn } from '../../lib/recovery/recover/report-or-go-on.ts';
import { createReportOutlets } from '../../lib/recovery/recover/report-outlets.ts';

const environment = environmentOf(process.env);
const observability = createObservability();
const { logger, tracing } = observability;
const serverClock = createServerClock(createWorld().clock);
const leases = createLeases({
  dynamo: createDynamo(tracing.captureClient(createDynamoClient()), { serverClock }),
  table: environment.required('RECOVERY_TABLE'),
});
const outlets = createReportOutlets({
  s3: tracing.captureClient(createS3Client()),
  sns: tracing.captureClient(createSnsClient()),
  events: tracing.captureClient(createEventBridgeClient()),
  bucket: environment.required('ARCHIVE_BUCKET'),
  topicArn: environment.required('ALERTS_TOPIC_ARN'),
  busName: environment.required('EVENT_BUS_NAME'),
});

export const handler = lambdaPipeline(async (request: unknown) => {
  const { accumulated, redriveCount } = checkAccumulated(request);
  const reported = await reportOrGoOn({ leases, outlets }, accumulated, { redriveCount, now: serverClock.now() });
  if ('report' in reported) logger.info('recovery finished', { ...reported.report });
  else logger.info('recovery redriven', { id: reported.progress.id, redriveCount });
  return reported;
}, observability);
