// The event store as infrastructure: seven tables, the archive bucket and the bucket for batches that the relay gave up on.
// Everything in it holds data and outlives the stack. Nobody gets DeleteItem on the Events table from here.

import { Annotations, Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, type CfnBucket, type IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { InvalidInputError } from '../../model/errors.ts';
import {
  CHECKPOINTS_TABLE,
  DEAD_LETTERS_TABLE,
  EVENTS_TABLE,
  IDEMPOTENCY_TABLE,
  LOG_TABLE,
  RECOVERY_TABLE,
  SNAPSHOTS_TABLE,
} from '../../platform/dynamodb/schemas.ts';
import { VERIFICATIONS_PREFIX } from '../../recovery/verify/places.ts';
import { acknowledgeNoAccessLogs } from './acknowledgements.ts';
import { DeployedEventStore } from './deployed-event-store.ts';
import { EventStoreBase, type IEventStore } from './event-store-base.ts';
import { DEFAULT_PARAMETER_PREFIX, type SharedKey, shareValues } from './shared-parameters.ts';
import { createTable } from './tables.ts';

/** What the steps of a verification hand to each other is of no use afterwards. */
const VERIFICATIONS = `${VERIFICATIONS_PREFIX}/`;

export interface EventStoreProps {
  /** An existing Events table. Keys and stream as in `docs/architecture.md`. @default - a new table, retained */
  readonly eventsTable?: ITable;
  /** @default - a new table, retained */
  readonly logTable?: ITable;
  /** @default - a new table, retained */
  readonly checkpointsTable?: ITable;
  /** Import it with `globalIndexes` or `grantIndexPermissions`. @default - a new table, retained */
  readonly deadLettersTable?: ITable;
  /** @default - a new table, retained */
  readonly idempotencyTable?: ITable;
  /** @default - a new table, retained */
  readonly snapshotsTable?: ITable;
  /** @default - a new table, retained */
  readonly recoveryTable?: ITable;
  /** An existing bucket with versioning. Nobody but you removes old files below `verifications/` there. @default - a new versioned bucket, retained */
  readonly archiveBucket?: IBucket;
  /** An existing bucket that sends its events to EventBridge. @default - a new bucket, retained */
  readonly relayFailuresBucket?: IBucket;
  /**
   * Key for the new tables and buckets, and for the queues of consumers.
   * @default - the keys that AWS owns and S3's own encryption: no charge
   */
  readonly encryptionKey?: IKey;
}

/**
 * Tables and buckets of one deployment. All of them are retained when the stack is removed.
 * @example
 * const eventStore = new EventStore(this, 'EventStore');
 * eventStore.grantAppend(checkoutFunction);
 */
export class EventStore extends EventStoreBase {
  readonly eventsTable: ITable;
  readonly eventsStreamArn: string;
  readonly logTable: ITable;
  readonly checkpointsTable: ITable;
  readonly deadLettersTable: ITable;
  readonly idempotencyTable: ITable;
  readonly snapshotsTable: ITable;
  readonly recoveryTable: ITable;
  readonly archiveBucket: IBucket;
  readonly relayFailuresBucket: IBucket;
  readonly encryptionKey?: IKey;

  private sharedPrefix?: string;

  /**
   * The event store of a deployment in the same account and region, by its SSM parameters.
   * @param props.parameterPrefix prefix that the Data stack was deployed with
   */
  static fromDeployment(
    scope: Construct,
    id: string,
    props: { readonly parameterPrefix?: string; readonly encryptionKey?: IKey } = {},
  ): IEventStore {
    return new DeployedEventStore(scope, id, props.parameterPrefix ?? DEFAULT_PARAMETER_PREFIX, props.encryptionKey);
  }

  constructor(scope: Construct, id: string, props: EventStoreProps = {}) {
    super(scope, id);
    this.encryptionKey = props.encryptionKey;
    const table = (given: ITable | undefined, schema: Parameters<typeof createTable>[1]): ITable =>
      given ?? createTable(this, schema, props.encryptionKey);
    this.eventsTable = table(props.eventsTable, EVENTS_TABLE);
    this.eventsStreamArn = streamArnOf(this.eventsTable, this);
    this.logTable = table(props.logTable, LOG_TABLE);
    this.checkpointsTable = table(props.checkpointsTable, CHECKPOINTS_TABLE);
    this.deadLettersTable = table(props.deadLettersTable, DEAD_LETTERS_TABLE);
    this.idempotencyTable = table(props.idempotencyTable, IDEMPOTENCY_TABLE);
    this.snapshotsTable = table(props.snapshotsTable, SNAPSHOTS_TABLE);
    this.recoveryTable = table(props.recoveryTable, RECOVERY_TABLE);
    this.archiveBucket = props.archiveBucket ?? this.createArchiveBucket();
    this.relayFailuresBucket = props.relayFailuresBucket ?? this.createRelayFailuresBucket();
    if (props.relayFailuresBucket) {
      Annotations.of(this).addInfoV2(
        'event-recovery:imported-relay-failures-bucket',
        'The imported relayFailuresBucket must send its events to EventBridge; CloudFormation cannot check that here.',
      );
    }
  }

  /**
   * Let other stacks find it with `EventStore.fromDeployment`: one SSM parameter per table and bucket.
   * @param parameterPrefix unique to the deployment in its account and region
   */
  share(parameterPrefix: string = DEFAULT_PARAMETER_PREFIX): void {
    this.sharedPrefix = parameterPrefix;
    const values: Partial<Record<SharedKey, string>> = {
      'events-table-name': this.eventsTable.tableName,
      'events-table-stream-arn': this.eventsStreamArn,
      'log-table-name': this.logTable.tableName,
      'checkpoints-table-name': this.checkpointsTable.tableName,
      'dead-letters-table-name': this.deadLettersTable.tableName,
      'idempotency-table-name': this.idempotencyTable.tableName,
      'snapshots-table-name': this.snapshotsTable.tableName,
      'recovery-table-name': this.recoveryTable.tableName,
      'archive-bucket-name': this.archiveBucket.bucketName,
      'relay-failures-bucket-name': this.relayFailuresBucket.bucketName,
    };
    shareValues(this, parameterPrefix, values);
  }

  get deployment(): string {
    return this.sharedPrefix ?? this.node.path;
  }

  private createBucket(id: string, props: ConstructorParameters<typeof Bucket>[2]): Bucket {
    const bucket = new Bucket(this, id, {
      encryption: this.encryptionKey ? BucketEncryption.KMS : BucketEncryption.S3_MANAGED,
      encryptionKey: this.encryptionKey,
      bucketKeyEnabled: this.encryptionKey ? true : undefined,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      removalPolicy: RemovalPolicy.RETAIN,
      ...props,
    });
    acknowledgeNoAccessLogs(bucket);
    return bucket;
  }

  private createArchiveBucket(): IBucket {
    return this.createBucket('ArchiveBucket', {
      versioned: true,
      lifecycleRules: [
        {
          id: 'keep-replaced-objects-for-a-year',
          noncurrentVersionExpiration: Duration.days(365),
          abortIncompleteMultipartUploadAfter: Duration.days(7),
        },
        // In two rules, because a rule that counts days cannot remove delete markers as well:
        // https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleExpiration.html
        { id: 'expire-verifications', prefix: VERIFICATIONS, expiration: Duration.days(7) },
        {
          id: 'remove-expired-verifications',
          prefix: VERIFICATIONS,
          noncurrentVersionExpiration: Duration.days(1),
          expiredObjectDeleteMarker: true,
        },
      ],
    });
  }

  private createRelayFailuresBucket(): IBucket {
    const bucket = this.createBucket('RelayFailuresBucket', {
      // The events themselves are in the Events table; these objects only say what was not relayed. The repair takes
      // minutes, its dead-letter queue keeps 14 days: 90 days leave time for somebody to look.
      lifecycleRules: [{ id: 'expire-repaired-batches', expiration: Duration.days(90) }],
    });
    // `eventBridgeEnabled: true` would bring a custom resource with a Python function; CloudFormation can do it itself.
    const resource = bucket.node.defaultChild as CfnBucket;
    resource.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } };
    return bucket;
  }
}

function streamArnOf(table: ITable, scope: Construct): string {
  if (table.tableStreamArn !== undefined) return table.tableStreamArn;
  throw new InvalidInputError('EVENTS_TABLE_WITHOUT_STREAM', {
    what: `eventsTable of ${scope.node.path}`,
    got: 'a table without tableStreamArn',
    allowed: 'a table with a DynamoDB stream of view type NEW_IMAGE',
    remedy: 'import it with Table.fromTableAttributes({ tableArn, tableStreamArn })',
  });
}
