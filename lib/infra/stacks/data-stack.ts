// Everything that holds data. Removing the app leaves it: the stack is protected against termination, its tables and
// buckets are retained, and no other stack depends on it by a CloudFormation export.

import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { EventStore, type EventStoreProps } from '../constructs/event-store.ts';
import { DEFAULT_PARAMETER_PREFIX } from '../constructs/shared-parameters.ts';

export interface DataStackProps extends StackProps, EventStoreProps {
  /** SSM prefix under which the other stacks find the tables. @default '/event-recovery' */
  readonly parameterPrefix?: string;
  /** @default true */
  readonly terminationProtection?: boolean;
}

export class DataStack extends Stack {
  readonly eventStore: EventStore;

  constructor(scope: Construct, id: string, props: DataStackProps = {}) {
    super(scope, id, { description: 'Event recovery: tables and buckets', terminationProtection: true, ...props });
    this.eventStore = new EventStore(this, 'EventStore', props);
    this.eventStore.share(props.parameterPrefix ?? DEFAULT_PARAMETER_PREFIX);
    const outputs = {
      EventsTableName: this.eventStore.eventsTable.tableName,
      LogTableName: this.eventStore.logTable.tableName,
      CheckpointsTableName: this.eventStore.checkpointsTable.tableName,
      DeadLettersTableName: this.eventStore.deadLettersTable.tableName,
      IdempotencyTableName: this.eventStore.idempotencyTable.tableName,
      SnapshotsTableName: this.eventStore.snapshotsTable.tableName,
      RecoveryTableName: this.eventStore.recoveryTable.tableName,
      ArchiveBucketName: this.eventStore.archiveBucket.bucketName,
      RelayFailuresBucketName: this.eventStore.relayFailuresBucket.bucketName,
    };
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(this, name, { value });
  }
}
