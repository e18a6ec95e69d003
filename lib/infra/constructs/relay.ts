// The relay: the only reader of the Events table's DynamoDB stream. It sequences commits into the log and publishes them
// to the bus. A batch that the event source mapping gives up on goes, with its records, to the relay-failures bucket.

import { Duration } from 'aws-cdk-lib';
import { MathExpression, type Metric, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import type * as events from 'aws-cdk-lib/aws-events';
import { Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets';
import { type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import {
  EventSourceMapping,
  type IEventSourceDlq,
  type IFunction,
  type Function as LambdaFunction,
  StartingPosition,
} from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { PAGE_MAX_STREAMS } from '../../flow/log/pages.ts';
import { BUS_SOURCE, RELAY_BACKFILL } from '../../model/wake-up.ts';
import { acknowledgeResourceWildcard } from './acknowledgements.ts';
import { ASYNC_INVOKE, ProjectFunction } from './event-function.ts';
import type { IEventStore } from './event-store-base.ts';
import { DIRECTORY_KEYS, grantOnKeys } from './key-grants.ts';
import { createDeadLetterQueue, metricDeadLetters } from './queues.ts';
import { runbookAlarm } from './runbook-alarm.ts';

/** One batch = one log page, even when each commit is of another stream: one transaction per invocation. */
export const RELAY_BATCH_SIZE = PAGE_MAX_STREAMS;
/**
 * A normal batch takes well under a second. A backfill reads for up to 45 s and keeps 15 s to sequence and publish what
 * it has read (`BATCH_LIMITS` and `CONTINUATION_LIMITS`, lib/flow/relay/budget.ts).
 */
export const RELAY_TIMEOUT = Duration.minutes(1);
/**
 * Bisecting 99 records down to one takes 7 splits and costs no retries. 20 tries x 60 s at worst = 20 minutes in which a
 * single record can hold its shard back when every try hangs until the timeout; a failing try costs seconds.
 */
export const RELAY_RETRY_ATTEMPTS = 20;
/**
 * Throttling before the function runs ignores the retry count; age is its bound. DynamoDB streams keep 24 h: after 6 h
 * the batch goes to the bucket, and 18 h are left for whatever stands behind it.
 */
export const RELAY_MAX_RECORD_AGE = Duration.hours(6);
/** 1 % of the 24 h after which records are lost to the stream (not to the store). */
export const ITERATOR_AGE_ALARM = Duration.minutes(15);
/** Metrics of the relay are looked at over this time. */
const METRIC_PERIOD = Duration.minutes(5);
/**
 * One shard's relay works on one batch after the other, and all relays write to one head: whichever of the two is the bottleneck,
 * relays that are at work all of the time have reached the ceiling. 70 % leave room for a peak and time to act.
 */
export const RELAY_BUSY_ALARM_SHARE = 0.7;

export interface RelayOptions {
  /**
   * Wait for more commits before a batch starts. More than 0 adds latency and saves write units: pages are fuller.
   * 0 to 300 seconds. @default Duration.seconds(0)
   */
  readonly maxBatchingWindow?: Duration;
  /** @default 1024 MB: more than half a vCPU, because one relay after the other sequences everything */
  readonly memorySize?: number;
}

export interface RelayProps extends RelayOptions {
  readonly eventStore: IEventStore;
  readonly bus: events.IEventBus;
  readonly alertsTopic: ITopic;
}

export class Relay extends Construct {
  readonly function: LambdaFunction;
  readonly mapping: EventSourceMapping;
  /** Backfills that did not get on. */
  readonly backfillDeadLetterQueue: Queue;

  constructor(scope: Construct, id: string, props: RelayProps) {
    super(scope, id);
    const { eventStore, bus, alertsTopic } = props;
    const relay = new ProjectFunction(this, 'RelayCommits', 'relay-commits', {
      description: 'Sequences commits into the log and publishes their events',
      timeout: RELAY_TIMEOUT,
      memorySize: props.memorySize ?? 1024,
      environment: relayEnvironment(eventStore, bus),
    });
    this.function = relay.function;
    grantRelaying(this.function, eventStore, bus);
    grantStreamRead(this.function, eventStore);
    this.mapping = new EventSourceMapping(this, 'Mapping', {
      target: this.function,
      eventSourceArn: eventStore.eventsStreamArn,
      // From the oldest record: what was appended between two deployments is relayed too; the log refuses duplicates.
      startingPosition: StartingPosition.TRIM_HORIZON,
      batchSize: RELAY_BATCH_SIZE,
      maxBatchingWindow: props.maxBatchingWindow ?? Duration.seconds(0),
      // One relay per shard: all of them write to one log head, so more at once only lose more races.
      parallelizationFactor: 1,
      bisectBatchOnError: true,
      reportBatchItemFailures: true,
      retryAttempts: RELAY_RETRY_ATTEMPTS,
      maxRecordAge: RELAY_MAX_RECORD_AGE,
      supportS3OnFailureDestination: true,
      onFailure: bucketDestination(eventStore.relayFailuresBucket),
    });
    this.backfillDeadLetterQueue = this.continueBackfills(bus, eventStore);
    runbookAlarm(this, 'IteratorAgeAlarm', {
      metric: this.metricIteratorAge(),
      threshold: ITERATOR_AGE_ALARM.toMilliseconds(),
      meaning: 'The relay is more than 15 minutes behind the Events table; after 24 hours records are trimmed.',
      runbook: 'relay-iterator-age',
      alertsTopic,
    });
    runbookAlarm(this, 'BackfillFailedAlarm', {
      metric: metricDeadLetters(this.backfillDeadLetterQueue),
      threshold: 1,
      meaning:
        'The relay could not go on with a long backfill of one stream; the next event of the stream starts it again.',
      runbook: 'relay-backfill-failed',
      alertsTopic,
    });
    runbookAlarm(this, 'CeilingAlarm', {
      metric: this.metricBusy(),
      threshold: RELAY_BUSY_ALARM_SHARE,
      evaluationPeriods: 3,
      meaning: 'For 15 minutes the relays were at work for 70 % of the time or more: the ceiling of the log is near.',
      runbook: 'relay-log-ceiling',
      alertsTopic,
    });
    runbookAlarm(this, 'ErrorsAlarm', {
      metric: this.metricErrors(),
      threshold: 1,
      evaluationPeriods: 3,
      meaning: 'Relay invocations fail for 15 minutes: events are stored but not delivered.',
      runbook: 'relay-errors',
      alertsTopic,
    });
  }

  /** A backfill too long for one invocation goes on in a bus entry that only this rule matches. */
  private continueBackfills(bus: events.IEventBus, eventStore: IEventStore): Queue {
    const deadLetterQueue = createDeadLetterQueue(this, 'BackfillDeadLetterQueue', {
      encryptionKey: eventStore.encryptionKey,
    });
    this.function.configureAsyncInvoke({ ...ASYNC_INVOKE, onFailure: new SqsDestination(deadLetterQueue) });
    new Rule(this, 'BackfillRule', {
      description: 'A long backfill of the relay goes on',
      eventBus: bus,
      eventPattern: { source: [BUS_SOURCE], detailType: [RELAY_BACKFILL] },
      targets: [new LambdaTarget(this.function, { deadLetterQueue })],
    });
    return deadLetterQueue;
  }

  /** Age of the last record that was read, in milliseconds. @default maximum over 5 minutes */
  metricIteratorAge(options?: MetricOptions): Metric {
    return this.function.metric('IteratorAge', { statistic: 'Maximum', period: METRIC_PERIOD, ...options });
  }

  /**
   * Share of the time for which the relays were at work; 1 is the ceiling, of one relay as of many. Their number is the most that
   * ran at once: Lambda, "Monitoring concurrency", emits `ConcurrentExecutions` for every function.
   * @default over 5 minutes
   */
  metricBusy(): MathExpression {
    const period = METRIC_PERIOD;
    return new MathExpression({
      expression: `worked / (relays * ${period.toMilliseconds()})`,
      usingMetrics: {
        worked: this.function.metricDuration({ statistic: 'Sum', period }),
        relays: this.function.metric('ConcurrentExecutions', { statistic: 'Maximum', period }),
      },
      period,
      label: 'Share of time for which relays were at work',
    });
  }

  /** Failed invocations. @default sum over 5 minutes */
  metricErrors(options?: MetricOptions): Metric {
    return this.function.metricErrors({ statistic: 'Sum', period: METRIC_PERIOD, ...options });
  }
}

export const relayEnvironment = (eventStore: IEventStore, bus: events.IEventBus): Record<string, string> => ({
  EVENTS_TABLE: eventStore.eventsTable.tableName,
  LOG_TABLE: eventStore.logTable.tableName,
  EVENT_BUS_NAME: bus.eventBusName,
  RELAY_FAILURES_BUCKET: eventStore.relayFailuresBucket.bucketName,
});

/** Read commits, write the log, publish. The same for the relay and for its repair. */
export function grantRelaying(grantee: IGrantable, eventStore: IEventStore, bus: events.IEventBus): void {
  eventStore.eventsTable.grant(grantee, 'dynamodb:GetItem', 'dynamodb:Query');
  eventStore.logTable.grant(
    grantee,
    'dynamodb:GetItem',
    'dynamodb:BatchGetItem',
    'dynamodb:Query',
    'dynamodb:PutItem',
    'dynamodb:UpdateItem',
  );
  // For its own marks of who fills which stream up (`backfillKey`). The key condition keeps log pages out of reach.
  grantOnKeys(grantee, eventStore.logTable, DIRECTORY_KEYS, 'DeleteItem');
  bus.grantPutEventsTo(grantee);
}

/** ListStreams names streams by their table: AWS's own policy template (SAM DynamoDBStreamReadPolicy) does the same. */
function grantStreamRead(target: LambdaFunction, { eventsTable, eventsStreamArn }: IEventStore): void {
  target.addToRolePolicy(
    new PolicyStatement({
      actions: ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'],
      resources: [eventsStreamArn],
    }),
  );
  const streamsOfTable = `${eventsTable.tableArn}/stream/*`;
  target.addToRolePolicy(new PolicyStatement({ actions: ['dynamodb:ListStreams'], resources: [streamsOfTable] }));
  if (target.role)
    acknowledgeResourceWildcard(target.role, streamsOfTable, 'ListStreams lists the streams of one table.');
}

/** The CDK's own S3OnFailureDestination grants reading and deleting too; Lambda needs PutObject and ListBucket. */
function bucketDestination(bucket: IBucket): IEventSourceDlq {
  return {
    bind(_mapping, target: IFunction) {
      const objects = bucket.arnForObjects('*');
      target.addToRolePolicy(new PolicyStatement({ actions: ['s3:PutObject'], resources: [objects] }));
      if (target.role)
        acknowledgeResourceWildcard(target.role, objects, 'Lambda chooses the keys of its failure records.');
      target.addToRolePolicy(new PolicyStatement({ actions: ['s3:ListBucket'], resources: [bucket.bucketArn] }));
      bucket.encryptionKey?.grantEncrypt(target);
      return { destination: bucket.bucketArn };
    },
  };
}
