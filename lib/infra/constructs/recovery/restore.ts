// Restore: the function that puts damaged and missing commits back, called by operators and by the recovery, and every minute by
// its schedule to go on with restores that wait for a side table. It is the only one that may overwrite or remove in the
// Events table, each time on the condition of exactly what was approved.

import { Duration } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { ARCHIVE_PREFIX, QUARANTINE_PREFIX, RESTORE_PREFIX } from '../../../recovery/archive/places.ts';
import { sideTableName } from '../../../recovery/restore/point-in-time.ts';
import { acknowledgeResourceWildcard } from '../acknowledgements.ts';
import type { IEventBus } from '../event-bus.ts';
import { ProjectFunction } from '../event-function.ts';
import type { IEventStore } from '../event-store-base.ts';
import { grantOnKeys, REGISTRY_KEYS } from '../key-grants.ts';
import { createDeadLetterQueue, metricDeadLetters } from '../queues.ts';
import { runbookAlarm } from '../runbook-alarm.ts';
import { onSchedule } from './on-schedule.ts';

/** Lambda's longest: a search through the archive goes on in the next invocation. */
const RESTORE_TIMEOUT = Duration.minutes(15);
/** Streams are held in memory while they are looked at (lib/recovery/restore/look.ts). */
const RESTORE_MEMORY_MB = 2_048;
const CONTINUE_PERIOD = Duration.minutes(1);
/** What DynamoDB does in the side table while it restores, as whoever asked (Developer Guide, "Using IAM with DynamoDB backup and restore"). */
const RESTORING = ['BatchWriteItem', 'DeleteItem', 'GetItem', 'PutItem', 'Query', 'Scan', 'UpdateItem'];

export interface RestoreProps {
  readonly eventStore: IEventStore;
  readonly eventBus: IEventBus;
}

export class Restore extends Construct {
  readonly function: LambdaFunction;
  /** Scheduled continuations that failed three times. */
  readonly deadLetterQueue: Queue;

  constructor(scope: Construct, id: string, { eventStore, eventBus }: RestoreProps) {
    super(scope, id);
    this.deadLetterQueue = createDeadLetterQueue(this, 'DeadLetterQueue', { encryptionKey: eventStore.encryptionKey });
    this.function = new ProjectFunction(this, 'RestoreCommits', 'restore-commits', {
      description: 'Puts damaged and missing commits back from the archive or a point in time',
      timeout: RESTORE_TIMEOUT,
      memorySize: RESTORE_MEMORY_MB,
      environment: {
        EVENTS_TABLE: eventStore.eventsTable.tableName,
        LOG_TABLE: eventStore.logTable.tableName,
        CHECKPOINTS_TABLE: eventStore.checkpointsTable.tableName,
        RECOVERY_TABLE: eventStore.recoveryTable.tableName,
        ARCHIVE_BUCKET: eventStore.archiveBucket.bucketName,
        EVENT_BUS_NAME: eventBus.bus.eventBusName,
      },
    }).function;
    this.grantStore(eventStore);
    this.grantSideTables(eventStore);
    this.grantRecovery(eventStore);
    eventBus.bus.grantPutEventsTo(this.function);
    onSchedule(this, 'ContinueSchedule', {
      function: this.function,
      every: CONTINUE_PERIOD,
      description: 'Go on with restores that are not finished',
      input: { action: 'continue' },
      deadLetterQueue: this.deadLetterQueue,
    });
    runbookAlarm(this, 'FailedAlarm', {
      metric: metricDeadLetters(this.deadLetterQueue),
      threshold: 1,
      meaning: 'A scheduled continuation of restores failed three times.',
      runbook: 'restore-failed',
      alertsTopic: eventBus.alertsTopic,
    });
  }

  private grantStore({ eventsTable, logTable, checkpointsTable }: IEventStore): void {
    const items = ['GetItem', 'Query', 'PutItem', 'DeleteItem'].map((action) => `dynamodb:${action}`);
    eventsTable.grant(this.function, ...items);
    logTable.grant(this.function, 'dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query');
    grantOnKeys(this.function, logTable, 'incident', 'PutItem', 'UpdateItem');
    // The stream directory, where it has lost a stream or says something else than the log.
    grantOnKeys(this.function, logTable, 'stream#*', 'PutItem');
    grantOnKeys(this.function, checkpointsTable, REGISTRY_KEYS, 'Query');
    // Checkpoints of all consumers, for reading only.
    checkpointsTable.grant(this.function, 'dynamodb:GetItem');
  }

  private grantSideTables({ eventsTable, encryptionKey }: IEventStore): void {
    const sideTables = sideTableName(eventsTable.tableArn, '*');
    this.function.addToRolePolicy(
      new PolicyStatement({
        actions: ['dynamodb:RestoreTableToPointInTime', 'dynamodb:DescribeContinuousBackups'],
        resources: [eventsTable.tableArn],
      }),
    );
    this.function.addToRolePolicy(
      new PolicyStatement({
        actions: [...RESTORING, 'DescribeTable', 'DeleteTable'].map((action) => `dynamodb:${action}`),
        resources: [sideTables],
      }),
    );
    // A table with a key of one's own is restored with it (Developer Guide, "DynamoDB encryption at rest": usage notes).
    encryptionKey?.grant(this.function, 'kms:DescribeKey', 'kms:CreateGrant');
    if (!this.function.role) return;
    acknowledgeResourceWildcard(
      this.function.role,
      sideTables,
      'Side tables are made by the restore itself, named after its id; the prefix is the name of this deployment’s Events table.',
    );
  }

  private grantRecovery({ recoveryTable, archiveBucket, encryptionKey }: IEventStore): void {
    grantOnKeys(this.function, recoveryTable, 'restore', 'GetItem', 'PutItem');
    grantOnKeys(this.function, recoveryTable, 'restore#*', 'PutItem', 'UpdateItem', 'Query');
    grantOnKeys(this.function, recoveryTable, 'restore-open', 'PutItem', 'DeleteItem', 'Query');
    grantOnKeys(this.function, recoveryTable, 'restore-forks', 'GetItem', 'PutItem', 'DeleteItem');
    grantOnKeys(this.function, recoveryTable, 'archive#exports', 'Query');
    grantOnKeys(this.function, recoveryTable, 'finding', 'Query');
    grantOnKeys(this.function, recoveryTable, 'audit#*', 'PutItem');
    grantOnKeys(this.function, recoveryTable, 'lease', 'GetItem', 'UpdateItem');
    const objectsBelow = (...prefixes: string[]) =>
      prefixes.map((prefix) => archiveBucket.arnForObjects(`${prefix}/*`));
    const readable = objectsBelow(ARCHIVE_PREFIX, RESTORE_PREFIX, QUARANTINE_PREFIX);
    const writable = objectsBelow(RESTORE_PREFIX, QUARANTINE_PREFIX);
    for (const statement of [
      new PolicyStatement({ actions: ['s3:GetObject'], resources: readable }),
      new PolicyStatement({ actions: ['s3:PutObject'], resources: writable }),
      // Without it S3 answers "access denied" for an object that is not there (API reference, GetObject).
      new PolicyStatement({ actions: ['s3:ListBucket'], resources: [archiveBucket.bucketArn] }),
    ])
      this.function.addToRolePolicy(statement);
    encryptionKey?.grantEncryptDecrypt(this.function);
    if (!this.function.role) return;
    for (const objects of readable) {
      acknowledgeResourceWildcard(
        this.function.role,
        objects,
        'Keys hold ids of exports, restores and items; the prefix is the narrowest.',
      );
    }
  }
}
