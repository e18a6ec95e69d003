// The archive: a schedule that keeps a chain of exports of the Events table in the archive bucket, without read capacity. The
// function only asks for exports and writes down what they cover; DynamoDB writes the files, with the function's permissions.

import { Duration } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { InvalidInputError } from '../../../model/errors.ts';
import { ARCHIVE_METRICS } from '../../../recovery/archive/archive-events.ts';
import { ARCHIVE_PREFIX } from '../../../recovery/archive/places.ts';
import { acknowledgeResourceWildcard } from '../acknowledgements.ts';
import { METRICS_NAMESPACE, ProjectFunction } from '../event-function.ts';
import type { IEventStore } from '../event-store-base.ts';
import { grantOnKeys } from '../key-grants.ts';
import { createDeadLetterQueue, metricDeadLetters } from '../queues.ts';
import { runbookAlarm } from '../runbook-alarm.ts';
import { onSchedule } from './on-schedule.ts';

const STEP_PERIOD = Duration.minutes(15);
const STEP_TIMEOUT = Duration.minutes(1);
const DEFAULT_SPAN = Duration.hours(1);
/** Steps that found the chain up to date are missed for so long before somebody is told. */
const STANDSTILL = Duration.hours(6);

export interface ArchiveProps {
  readonly eventStore: IEventStore;
  readonly alertsTopic: ITopic;
  /**
   * Span of an incremental export: 15 minutes to 24 hours. What is younger is restored from a point in time.
   * @default 1 hour
   */
  readonly span?: Duration;
}

export class Archive extends Construct {
  readonly function: LambdaFunction;
  /** Scheduled steps that failed three times. */
  readonly deadLetterQueue: Queue;

  constructor(scope: Construct, id: string, props: ArchiveProps) {
    super(scope, id);
    const { eventStore, alertsTopic } = props;
    this.deadLetterQueue = createDeadLetterQueue(this, 'DeadLetterQueue', { encryptionKey: eventStore.encryptionKey });
    this.function = new ProjectFunction(this, 'ArchiveEvents', 'archive-events', {
      description: 'Keeps a chain of exports of the Events table in the archive bucket',
      timeout: STEP_TIMEOUT,
      environment: {
        EVENTS_TABLE_ARN: eventStore.eventsTable.tableArn,
        RECOVERY_TABLE: eventStore.recoveryTable.tableName,
        ARCHIVE_BUCKET: eventStore.archiveBucket.bucketName,
        ARCHIVE_SPAN_MINUTES: String(checkSpan(props.span ?? DEFAULT_SPAN)),
        ...(eventStore.encryptionKey && { ARCHIVE_KEY_ID: eventStore.encryptionKey.keyArn }),
      },
    }).function;
    this.grantExporting(eventStore);
    onSchedule(this, 'Schedule', {
      function: this.function,
      every: STEP_PERIOD,
      description: 'Go on with the archive',
      input: { action: 'step' },
      deadLetterQueue: this.deadLetterQueue,
    });
    this.createAlarms(alertsTopic);
  }

  private grantExporting({ eventsTable, recoveryTable, archiveBucket, encryptionKey }: IEventStore): void {
    const exports = `${eventsTable.tableArn}/export/*`;
    const objects = archiveBucket.arnForObjects(`${ARCHIVE_PREFIX}/*`);
    for (const statement of [
      new PolicyStatement({
        actions: ['dynamodb:ExportTableToPointInTime', 'dynamodb:DescribeContinuousBackups'],
        resources: [eventsTable.tableArn],
      }),
      new PolicyStatement({ actions: ['dynamodb:DescribeExport'], resources: [exports] }),
      // Developer Guide, "Requesting a table export in DynamoDB": DynamoDB writes as whoever asked for the export.
      new PolicyStatement({
        actions: ['s3:AbortMultipartUpload', 's3:PutObject', 's3:PutObjectAcl'],
        resources: [objects],
      }),
    ])
      this.function.addToRolePolicy(statement);
    grantOnKeys(this.function, recoveryTable, 'archive', 'GetItem', 'PutItem');
    grantOnKeys(this.function, recoveryTable, 'archive#exports', 'PutItem');
    grantOnKeys(this.function, recoveryTable, 'audit#*', 'PutItem');
    encryptionKey?.grantEncryptDecrypt(this.function);
    if (!this.function.role) return;
    acknowledgeResourceWildcard(this.function.role, exports, 'DynamoDB chooses the names of exports.');
    acknowledgeResourceWildcard(this.function.role, objects, 'DynamoDB chooses the keys of the files of an export.');
  }

  private createAlarms(alertsTopic: ITopic): void {
    runbookAlarm(this, 'StalledAlarm', {
      metric: new Metric({
        namespace: METRICS_NAMESPACE,
        metricName: ARCHIVE_METRICS.upToDate,
        dimensionsMap: { service: 'archive-events' },
        statistic: 'Sum',
        period: STANDSTILL,
      }),
      threshold: 1,
      silenceIsBad: true,
      meaning: 'For six hours no step of the archive found the chain of exports up to date.',
      runbook: 'archive-stalled',
      alertsTopic,
    });
    runbookAlarm(this, 'FailedAlarm', {
      metric: metricDeadLetters(this.deadLetterQueue),
      threshold: 1,
      meaning: 'A scheduled step of the archive failed three times.',
      runbook: 'archive-failed',
      alertsTopic,
    });
  }
}

/** @throws InvalidInputError `INVALID_ARCHIVE_SPAN` */
function checkSpan(span: Duration): number {
  const minutes = span.toMinutes({ integral: false });
  if (Number.isInteger(minutes) && minutes >= 15 && minutes <= 24 * 60) return minutes;
  throw new InvalidInputError('INVALID_ARCHIVE_SPAN', {
    what: 'span of the archive',
    got: span.toHumanString(),
    allowed: 'whole minutes, from 15 minutes to 24 hours (limits of incremental exports)',
    remedy: 'pass for example Duration.hours(1)',
  });
}
