// The verification as a function: reads every table, writes none; what its steps hand to each other lies in the archive
// bucket for a week. It is never run by a schedule (it reads everything); the
// operator, the drill and the recovery ask for it.

import { Duration } from 'aws-cdk-lib';
import { Metric, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { InvalidInputError } from '../../../model/errors.ts';
import { BATCH_BOUNDS } from '../../../recovery/verify/batches.ts';
import { VERIFICATIONS_PREFIX } from '../../../recovery/verify/places.ts';
import { acknowledgeResourceWildcard } from '../acknowledgements.ts';
import { METRICS_NAMESPACE, ProjectFunction } from '../event-function.ts';
import type { IEventStore } from '../event-store-base.ts';
import { grantOnKeys } from '../key-grants.ts';
import { DEFAULT_PARAMETER_PREFIX, sharedValue } from '../shared-parameters.ts';

/** Lambda's longest (Lambda quotas), for the split as well as for one batch. */
const TIMEOUT = Duration.minutes(15);
/** The split holds the ids of all streams, a batch the log's entries of its own (lib/recovery/verify/batches.ts). */
const MEMORY_MB = 2_048;

export interface VerifyConsistencyProps {
  readonly eventStore: IEventStore;
  /**
   * Streams of one batch, 1 to 10,000. Stores with more are verified in batches, a function each.
   * @default 10,000
   */
  readonly batchStreams?: number;
}

/** Who asks consumers about their effects: what a consumer needs to let it. */
export interface IVerification {
  readonly roleArn: string;
}

export class VerifyConsistency extends Construct implements IVerification {
  readonly function: LambdaFunction;
  readonly roleArn: string;

  /** The verification of a deployment in the same account and region. */
  static fromDeployment(scope: Construct, prefix: string = DEFAULT_PARAMETER_PREFIX): IVerification {
    return { roleArn: sharedValue(scope, prefix, 'verify-consistency-role-arn') };
  }

  constructor(scope: Construct, id: string, { eventStore, batchStreams }: VerifyConsistencyProps) {
    super(scope, id);
    const { eventsTable, logTable, checkpointsTable, deadLettersTable, recoveryTable, archiveBucket } = eventStore;
    this.function = new ProjectFunction(this, 'VerifyConsistency', 'verify-consistency', {
      description: 'Re-reads everything and accounts for every event; changes nothing',
      timeout: TIMEOUT,
      memorySize: MEMORY_MB,
      environment: {
        EVENTS_TABLE: eventsTable.tableName,
        LOG_TABLE: logTable.tableName,
        CHECKPOINTS_TABLE: checkpointsTable.tableName,
        DEAD_LETTERS_TABLE: deadLettersTable.tableName,
        RECOVERY_TABLE: recoveryTable.tableName,
        ARCHIVE_BUCKET: archiveBucket.bucketName,
        ...(batchStreams !== undefined && { VERIFY_BATCH_STREAMS: String(checkBatchStreams(batchStreams)) }),
      },
    }).function;
    this.roleArn = this.function.role?.roleArn ?? '';
    eventsTable.grant(this.function, 'dynamodb:Scan', 'dynamodb:Query');
    logTable.grant(this.function, 'dynamodb:Scan', 'dynamodb:Query', 'dynamodb:GetItem', 'dynamodb:BatchGetItem');
    checkpointsTable.grant(this.function, 'dynamodb:Query', 'dynamodb:GetItem', 'dynamodb:BatchGetItem');
    // The table alone: a grant of the table would name its indexes with a wildcard.
    this.function.addToRolePolicy(
      new PolicyStatement({ actions: ['dynamodb:Scan'], resources: [deadLettersTable.tableArn] }),
    );
    grantOnKeys(this.function, recoveryTable, 'gap#*', 'Query');
    this.grantFiles(archiveBucket);
    eventStore.encryptionKey?.grantEncryptDecrypt(this.function);
  }

  /** What the steps hand to each other. */
  private grantFiles(bucket: IBucket): void {
    const files = bucket.arnForObjects(`${VERIFICATIONS_PREFIX}/*`);
    for (const statement of [
      new PolicyStatement({ actions: ['s3:GetObject', 's3:PutObject'], resources: [files] }),
      // Without it S3 answers "access denied" for an object that is not there (API reference, GetObject).
      new PolicyStatement({ actions: ['s3:ListBucket'], resources: [bucket.bucketArn] }),
    ])
      this.function.addToRolePolicy(statement);
    if (this.function.role) acknowledgeResourceWildcard(this.function.role, files, 'One folder per verification.');
  }

  /** What contradicts what is stored. @default sum over 5 minutes */
  metricViolations(options?: MetricOptions): Metric {
    return new Metric({
      namespace: METRICS_NAMESPACE,
      metricName: 'Violations',
      dimensionsMap: { service: 'verify-consistency' },
      statistic: 'Sum',
      period: Duration.minutes(5),
      ...options,
    });
  }
}

/** @throws InvalidInputError `INVALID_BATCH_STREAMS` */
function checkBatchStreams(batchStreams: number): number {
  if (Number.isInteger(batchStreams) && batchStreams >= 1 && batchStreams <= BATCH_BOUNDS.streams) return batchStreams;
  throw new InvalidInputError('INVALID_BATCH_STREAMS', {
    what: 'batchStreams of the verification',
    got: batchStreams,
    allowed: `a whole number from 1 to ${BATCH_BOUNDS.streams}`,
    remedy: 'leave it out, unless one batch takes more than the 15 minutes of a function',
  });
}
