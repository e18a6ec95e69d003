// Replay: the function that plans replays and gives events to their consumers again, called by operators and by the recovery,
// and every minute by its schedule to go on with replays that are not finished and to begin backfills that wait.

import { Duration } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { METRICS_NAMESPACE, ProjectFunction } from '../event-function.ts';
import type { IEventStore } from '../event-store-base.ts';
import { grantOnKeys, REGISTRY_KEYS } from '../key-grants.ts';
import { createDeadLetterQueue, metricDeadLetters } from '../queues.ts';
import { runbookAlarm } from '../runbook-alarm.ts';
import { onSchedule } from './on-schedule.ts';
import { grantWakeUps } from './wake-up-grants.ts';

/** Lambda's longest: a plan of a million streams reads 10,000 batches of checkpoints, about 10 ms each. */
const REPLAY_TIMEOUT = Duration.minutes(15);
const CONTINUE_PERIOD = Duration.minutes(1);
const ALARM_PERIOD = Duration.minutes(5);

export interface ReplayEventsProps {
  readonly eventStore: IEventStore;
  readonly alertsTopic: ITopic;
}

export class ReplayEvents extends Construct {
  readonly function: LambdaFunction;
  /** Scheduled continuations that failed three times. */
  readonly deadLetterQueue: Queue;

  constructor(scope: Construct, id: string, { eventStore, alertsTopic }: ReplayEventsProps) {
    super(scope, id);
    this.deadLetterQueue = createDeadLetterQueue(this, 'DeadLetterQueue', { encryptionKey: eventStore.encryptionKey });
    this.function = new ProjectFunction(this, 'ReplayEvents', 'replay-events', {
      description: 'Plans replays and gives events to their consumers again',
      timeout: REPLAY_TIMEOUT,
      environment: {
        EVENTS_TABLE: eventStore.eventsTable.tableName,
        LOG_TABLE: eventStore.logTable.tableName,
        CHECKPOINTS_TABLE: eventStore.checkpointsTable.tableName,
        RECOVERY_TABLE: eventStore.recoveryTable.tableName,
        DEPLOYMENT: eventStore.deployment,
      },
    }).function;
    this.grantReplaying(eventStore);
    onSchedule(this, 'ContinueSchedule', {
      function: this.function,
      every: CONTINUE_PERIOD,
      description: 'Go on with replays that are not finished, begin backfills that wait',
      input: { action: 'continue' },
      deadLetterQueue: this.deadLetterQueue,
    });
    this.createAlarms(alertsTopic);
  }

  private grantReplaying(eventStore: IEventStore): void {
    const { eventsTable, logTable, checkpointsTable, recoveryTable } = eventStore;
    // A sample of the planned events, to know what reading them costs.
    eventsTable.grant(this.function, 'dynamodb:Query');
    logTable.grant(this.function, 'dynamodb:BatchGetItem', 'dynamodb:Query');
    // Rewinds are asked for on checkpoints of every consumer.
    checkpointsTable.grant(this.function, 'dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:UpdateItem');
    grantOnKeys(this.function, checkpointsTable, REGISTRY_KEYS, 'GetItem', 'PutItem', 'Query');
    grantOnKeys(this.function, recoveryTable, 'gap#*', 'BatchGetItem', 'GetItem', 'Query', 'UpdateItem');
    grantOnKeys(this.function, recoveryTable, 'plan', 'GetItem', 'PutItem', 'UpdateItem');
    grantOnKeys(this.function, recoveryTable, 'plan#*', 'BatchWriteItem', 'GetItem', 'PutItem', 'Query');
    grantOnKeys(this.function, recoveryTable, 'replay', 'GetItem', 'PutItem', 'UpdateItem');
    grantOnKeys(this.function, recoveryTable, 'replay-open', 'DeleteItem', 'GetItem', 'PutItem', 'Query');
    grantOnKeys(this.function, recoveryTable, 'replay-backfill', 'UpdateItem');
    grantOnKeys(this.function, recoveryTable, 'audit#*', 'PutItem');
    grantOnKeys(this.function, recoveryTable, 'lease', 'GetItem', 'UpdateItem');
    grantWakeUps(this.function, eventStore);
  }

  private createAlarms(alertsTopic: ITopic): void {
    runbookAlarm(this, 'FailedAlarm', {
      metric: metricDeadLetters(this.deadLetterQueue),
      threshold: 1,
      meaning: 'A scheduled continuation of replays failed three times.',
      runbook: 'replay-failed',
      alertsTopic,
    });
    runbookAlarm(this, 'StoppedAlarm', {
      metric: new Metric({
        namespace: METRICS_NAMESPACE,
        metricName: 'ReplaysStopped',
        dimensionsMap: { service: 'replay-events' },
        statistic: 'Sum',
        period: ALARM_PERIOD,
      }),
      threshold: 1,
      meaning: 'A replay stopped by itself: too many of its streams failed.',
      runbook: 'replay-stopped',
      alertsTopic,
    });
  }
}
