// The event store as other constructs see it, made here or looked up, with its grants and metrics. No grant of it contains
// DeleteItem on the Events table.

import { Duration } from 'aws-cdk-lib';
import type { Metric, MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { Grant, IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct, type IConstruct } from 'constructs';

/** What other constructs need of an event store, whether it is made in this app or looked up. */
export interface IEventStore extends IConstruct {
  /** Commits. */
  readonly eventsTable: ITable;
  /** DynamoDB stream of the Events table (NEW_IMAGE). */
  readonly eventsStreamArn: string;
  /** Log pages, stream directory, incidents. */
  readonly logTable: ITable;
  /** Checkpoints and the registry of consumers. */
  readonly checkpointsTable: ITable;
  readonly deadLettersTable: ITable;
  /** Markers of idempotent effects. */
  readonly idempotencyTable: ITable;
  /** Folded states of streams: a cache. */
  readonly snapshotsTable: ITable;
  /** Open gaps, scans, plans, replays, audit. */
  readonly recoveryTable: ITable;
  /** Exports of the Events table. */
  readonly archiveBucket: IBucket;
  /** Batches that the relay's event source mapping gave up on. Sends its events to EventBridge. */
  readonly relayFailuresBucket: IBucket;
  readonly encryptionKey?: IKey;
  /** Identity of the deployment inside an app: names of consumers are unique in it. */
  readonly deployment: string;
  /** Append events, and the reads that an append needs. For producers. */
  grantAppend(grantee: IGrantable): Grant;
  /** Read events and the log. */
  grantRead(grantee: IGrantable): Grant;
  /** Read events and keep snapshots: for whoever rehydrates. */
  grantRehydrate(grantee: IGrantable): Grant;
  /** A CloudWatch metric of the Events table (namespace AWS/DynamoDB). */
  metric(metricName: string, options?: MetricOptions): Metric;
  /** Write units that appends consumed. @default sum over 5 minutes */
  metricAppendWriteUnits(options?: MetricOptions): Metric;
}

export abstract class EventStoreBase extends Construct implements IEventStore {
  abstract readonly eventsTable: ITable;
  abstract readonly eventsStreamArn: string;
  abstract readonly logTable: ITable;
  abstract readonly checkpointsTable: ITable;
  abstract readonly deadLettersTable: ITable;
  abstract readonly idempotencyTable: ITable;
  abstract readonly snapshotsTable: ITable;
  abstract readonly recoveryTable: ITable;
  abstract readonly archiveBucket: IBucket;
  abstract readonly relayFailuresBucket: IBucket;
  abstract readonly encryptionKey?: IKey;
  abstract readonly deployment: string;

  grantAppend(grantee: IGrantable): Grant {
    // The stream's last commit and its head in the directory are read before the one conditional PutItem.
    const write = this.eventsTable.grant(grantee, 'dynamodb:PutItem', 'dynamodb:GetItem', 'dynamodb:Query');
    return write.combine(this.logTable.grant(grantee, 'dynamodb:GetItem', 'dynamodb:BatchGetItem'));
  }

  grantRead(grantee: IGrantable): Grant {
    const actions = ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query'];
    return this.eventsTable.grant(grantee, ...actions).combine(this.logTable.grant(grantee, ...actions));
  }

  grantRehydrate(grantee: IGrantable): Grant {
    const snapshots = this.snapshotsTable.grant(grantee, 'dynamodb:GetItem', 'dynamodb:PutItem');
    return this.eventsTable.grant(grantee, 'dynamodb:Query').combine(snapshots);
  }

  metric(metricName: string, options?: MetricOptions): Metric {
    return this.eventsTable.metric(metricName, options);
  }

  metricAppendWriteUnits(options?: MetricOptions): Metric {
    return this.metric('ConsumedWriteCapacityUnits', { statistic: 'Sum', period: Duration.minutes(5), ...options });
  }
}
