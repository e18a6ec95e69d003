// Redrive: the function that gives dead letters back, called by operators, and every minute by its schedule to go on with runs
// that are not finished.

import { Duration } from 'aws-cdk-lib';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { ProjectFunction } from '../event-function.ts';
import type { IEventStore } from '../event-store-base.ts';
import { grantOnKeys, REGISTRY_KEYS } from '../key-grants.ts';
import { createDeadLetterQueue, metricDeadLetters } from '../queues.ts';
import { runbookAlarm } from '../runbook-alarm.ts';
import { grantDeadLetters } from './dead-letter-grants.ts';
import { onSchedule } from './on-schedule.ts';
import { grantWakeUps } from './wake-up-grants.ts';

/** A scheduled invocation works as long; a lease keeps the next ones out of the same run. */
const REDRIVE_TIMEOUT = Duration.minutes(5);
const CONTINUE_PERIOD = Duration.minutes(1);

export interface RedriveDeadLettersProps {
  readonly eventStore: IEventStore;
  readonly alertsTopic: ITopic;
}

export class RedriveDeadLetters extends Construct {
  readonly function: LambdaFunction;
  /** Scheduled continuations that failed three times. */
  readonly deadLetterQueue: Queue;

  constructor(scope: Construct, id: string, { eventStore, alertsTopic }: RedriveDeadLettersProps) {
    super(scope, id);
    const { eventsTable, logTable, checkpointsTable, deadLettersTable, recoveryTable, encryptionKey } = eventStore;
    this.deadLetterQueue = createDeadLetterQueue(this, 'DeadLetterQueue', { encryptionKey });
    this.function = new ProjectFunction(this, 'RedriveDeadLetters', 'redrive-dead-letters', {
      description: 'Gives dead letters back to their consumers, or discards them',
      timeout: REDRIVE_TIMEOUT,
      environment: {
        EVENTS_TABLE: eventsTable.tableName,
        LOG_TABLE: logTable.tableName,
        CHECKPOINTS_TABLE: checkpointsTable.tableName,
        DEAD_LETTERS_TABLE: deadLettersTable.tableName,
        RECOVERY_TABLE: recoveryTable.tableName,
        DEPLOYMENT: eventStore.deployment,
      },
    }).function;
    grantOnKeys(this.function, checkpointsTable, REGISTRY_KEYS, 'GetItem');
    // Un-parking changes checkpoints of every consumer.
    checkpointsTable.grant(this.function, 'dynamodb:GetItem', 'dynamodb:UpdateItem');
    grantDeadLetters(this.function, eventStore);
    // A plan: what waits behind the dead letters, and a sample of it, to know what reading costs.
    eventsTable.grant(this.function, 'dynamodb:Query');
    logTable.grant(this.function, 'dynamodb:BatchGetItem', 'dynamodb:Query');
    grantOnKeys(this.function, recoveryTable, 'plan', 'GetItem', 'PutItem', 'UpdateItem');
    grantOnKeys(this.function, recoveryTable, 'plan#*', 'GetItem', 'PutItem');
    grantOnKeys(this.function, recoveryTable, 'gap#*', 'GetItem', 'UpdateItem');
    grantOnKeys(this.function, recoveryTable, 'redrive', 'GetItem', 'PutItem', 'UpdateItem');
    grantOnKeys(this.function, recoveryTable, 'redrive-open', 'PutItem', 'DeleteItem', 'Query');
    grantOnKeys(this.function, recoveryTable, 'audit#*', 'PutItem');
    grantOnKeys(this.function, recoveryTable, 'lease', 'GetItem', 'UpdateItem');
    grantWakeUps(this.function, eventStore);
    onSchedule(this, 'ContinueSchedule', {
      function: this.function,
      every: CONTINUE_PERIOD,
      description: 'Go on with redrives that are not finished',
      input: { action: 'continue' },
      deadLetterQueue: this.deadLetterQueue,
    });
    runbookAlarm(this, 'FailedAlarm', {
      metric: metricDeadLetters(this.deadLetterQueue),
      threshold: 1,
      meaning: 'A scheduled continuation of redrives failed three times.',
      runbook: 'redrive-failed',
      alertsTopic,
    });
  }
}
