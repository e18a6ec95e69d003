// The event store of a deployment in the same account and region, known by the SSM parameters that its stack has written.

import { type ITable, Table } from 'aws-cdk-lib/aws-dynamodb';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Bucket, type IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct, IConstruct } from 'constructs';
import { EventStoreBase } from './event-store-base.ts';
import { checkParameterPrefix, type SharedKey, sharedValue } from './shared-parameters.ts';

/** Looks each value up when it is first asked for: an unused SSM parameter would only be one more thing that can fail. */
export class DeployedEventStore extends EventStoreBase {
  readonly encryptionKey?: IKey;
  readonly deployment: string;

  constructor(scope: Construct, id: string, prefix: string, encryptionKey: IKey | undefined) {
    super(scope, id);
    this.deployment = checkParameterPrefix(prefix);
    this.encryptionKey = encryptionKey;
  }

  get eventsTable(): ITable {
    return this.table('EventsTable', 'events-table-name');
  }
  get eventsStreamArn(): string {
    return sharedValue(this, this.deployment, 'events-table-stream-arn');
  }
  get logTable(): ITable {
    return this.table('LogTable', 'log-table-name');
  }
  get checkpointsTable(): ITable {
    return this.table('CheckpointsTable', 'checkpoints-table-name');
  }
  get deadLettersTable(): ITable {
    return this.table('DeadLettersTable', 'dead-letters-table-name');
  }
  get idempotencyTable(): ITable {
    return this.table('IdempotencyTable', 'idempotency-table-name');
  }
  get snapshotsTable(): ITable {
    return this.table('SnapshotsTable', 'snapshots-table-name');
  }
  get recoveryTable(): ITable {
    return this.table('RecoveryTable', 'recovery-table-name');
  }
  get archiveBucket(): IBucket {
    return this.bucket('ArchiveBucket', 'archive-bucket-name');
  }
  get relayFailuresBucket(): IBucket {
    return this.bucket('RelayFailuresBucket', 'relay-failures-bucket-name');
  }

  private table(name: string, key: SharedKey): ITable {
    return this.once(name, () =>
      Table.fromTableAttributes(this, name, {
        tableName: sharedValue(this, this.deployment, key),
        encryptionKey: this.encryptionKey,
        grantIndexPermissions: key === 'dead-letters-table-name',
      }),
    );
  }

  private bucket(name: string, key: SharedKey): IBucket {
    return this.once(name, () =>
      Bucket.fromBucketAttributes(this, name, {
        bucketName: sharedValue(this, this.deployment, key),
        encryptionKey: this.encryptionKey,
      }),
    );
  }

  private once<T extends IConstruct>(name: string, make: () => T): T {
    return (this.node.tryFindChild(name) as T | undefined) ?? make();
  }
}
