// The gap scan: every five minutes it looks at what moved and at what is still owed, records gaps, wakes their consumers, and
// announces them on the bus. It overlaps no other scan (a lease decides), so a scan may take longer than the period.

import { Duration } from 'aws-cdk-lib';
import type { Metric, MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import type { Rule } from 'aws-cdk-lib/aws-events';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { IEventBus } from '../event-bus.ts';
import { ProjectFunction } from '../event-function.ts';
import type { IEventStore } from '../event-store-base.ts';
import { grantOnKeys, REGISTRY_KEYS } from '../key-grants.ts';
import { createDeadLetterQueue, metricDeadLetters } from '../queues.ts';
import { runbookAlarm } from '../runbook-alarm.ts';
import { functionMetric } from './function-metric.ts';
import { onSchedule } from './on-schedule.ts';
import { grantWakeUps } from './wake-up-grants.ts';

/** The period: how long a lost delivery stays unnoticed, besides the grace of one minute. */
export const SCAN_PERIOD = Duration.minutes(5);
/** A scan of 10,000 moved streams takes seconds; a backlog of open gaps uses the time that there is and goes on next time. */
export const SCAN_TIMEOUT = Duration.minutes(10);
/** Three scans in a row that did not happen. */
const SILENCE = Duration.minutes(15);
/** Twice the bound of 15 minutes up to which a busy queue explains lag. */
const LAG_ALARM = Duration.minutes(30);

export interface GapScanProps {
  readonly eventStore: IEventStore;
  readonly eventBus: IEventBus;
}

export class GapScan extends Construct {
  readonly function: LambdaFunction;
  readonly rule: Rule;
  /** Scheduled scans that failed three times. */
  readonly deadLetterQueue: Queue;

  constructor(scope: Construct, id: string, props: GapScanProps) {
    super(scope, id);
    const { eventStore, eventBus } = props;
    this.deadLetterQueue = createDeadLetterQueue(this, 'DeadLetterQueue', { encryptionKey: eventStore.encryptionKey });
    this.function = new ProjectFunction(this, 'ScanGaps', 'scan-gaps', {
      description: 'Finds events that were never delivered and wakes their consumers',
      timeout: SCAN_TIMEOUT,
      environment: {
        EVENTS_TABLE: eventStore.eventsTable.tableName,
        LOG_TABLE: eventStore.logTable.tableName,
        CHECKPOINTS_TABLE: eventStore.checkpointsTable.tableName,
        RECOVERY_TABLE: eventStore.recoveryTable.tableName,
        DEPLOYMENT: eventStore.deployment,
        EVENT_BUS_NAME: eventBus.bus.eventBusName,
        RELAY_FUNCTION_ARN: eventBus.relayFunctionArn,
        RELAY_MAPPING_ARN: eventBus.relayMappingArn,
      },
    }).function;
    this.grantScanning(props);
    this.rule = onSchedule(this, 'Schedule', {
      function: this.function,
      every: SCAN_PERIOD,
      description: 'Scan for gaps',
      deadLetterQueue: this.deadLetterQueue,
    });
    this.createAlarms(eventBus);
  }

  /** A metric of the scan. @default maximum over 5 minutes */
  metric(metricName: string, options?: MetricOptions): Metric {
    return functionMetric('scan-gaps', metricName, { period: SCAN_PERIOD, ...options });
  }

  /** Lag of one consumer in seconds, or in events with the metric `LagEvents`. @default maximum over 5 minutes */
  metricLag(consumer: string, metricName: 'LagSeconds' | 'LagEvents' = 'LagSeconds', options?: MetricOptions): Metric {
    return this.metric(metricName, { dimensionsMap: { service: 'scan-gaps', consumer }, ...options });
  }

  private grantScanning({ eventStore, eventBus }: GapScanProps): void {
    const { eventsTable, logTable, checkpointsTable, recoveryTable } = eventStore;
    logTable.grant(this.function, 'dynamodb:BatchGetItem', 'dynamodb:Query');
    // A plan of what is filled: a sample of the events, to know what reading them costs.
    eventsTable.grant(this.function, 'dynamodb:Query');
    grantOnKeys(this.function, recoveryTable, 'plan', 'PutItem', 'UpdateItem');
    grantOnKeys(this.function, recoveryTable, 'plan#*', 'PutItem');
    grantOnKeys(this.function, checkpointsTable, REGISTRY_KEYS, 'GetItem', 'Query');
    // Checkpoints of all consumers, for reading only.
    checkpointsTable.grant(this.function, 'dynamodb:BatchGetItem');
    grantOnKeys(this.function, recoveryTable, 'gap#*', 'Query', 'UpdateItem', 'DeleteItem');
    grantOnKeys(this.function, recoveryTable, 'scan#*', 'GetItem', 'UpdateItem');
    grantOnKeys(this.function, recoveryTable, 'scan', 'PutItem', 'Query');
    grantOnKeys(this.function, recoveryTable, 'lease', 'GetItem', 'UpdateItem');
    grantWakeUps(this.function, eventStore);
    eventBus.bus.grantPutEventsTo(this.function);
    this.function.addToRolePolicy(
      new PolicyStatement({ actions: ['lambda:GetEventSourceMapping'], resources: [eventBus.relayMappingArn] }),
    );
    // CloudWatch knows no resources for GetMetricData (Service Authorization Reference).
    this.function.addToRolePolicy(new PolicyStatement({ actions: ['cloudwatch:GetMetricData'], resources: ['*'] }));
  }

  private createAlarms({ alertsTopic }: IEventBus): void {
    runbookAlarm(this, 'SilentAlarm', {
      metric: this.metric('GapScans', { statistic: 'Sum', period: SILENCE }),
      threshold: 1,
      silenceIsBad: true,
      meaning: 'No gap scan finished for 15 minutes: a lost delivery would not be noticed.',
      runbook: 'gap-scan-silent',
      alertsTopic,
    });
    runbookAlarm(this, 'FailedAlarm', {
      metric: metricDeadLetters(this.deadLetterQueue),
      threshold: 1,
      meaning: 'A scheduled gap scan failed three times.',
      runbook: 'gap-scan-failed',
      alertsTopic,
    });
    runbookAlarm(this, 'GapsAlarm', {
      metric: this.metric('GapStreams'),
      threshold: 1,
      evaluationPeriods: 3,
      meaning:
        'Gaps remain for three scans: their consumers were woken up in vain, or their fills could not be planned.',
      runbook: 'gap-scan-gaps',
      alertsTopic,
    });
    runbookAlarm(this, 'LagAlarm', {
      metric: this.metric('LagSeconds'),
      threshold: LAG_ALARM.toSeconds(),
      meaning: 'A consumer has an unresolved event that is 30 minutes old and not parked.',
      runbook: 'gap-scan-lag',
      alertsTopic,
    });
    runbookAlarm(this, 'UnknownAlarm', {
      metric: this.metric('UnknownConsumers'),
      threshold: 1,
      evaluationPeriods: 3,
      meaning: 'For three scans nobody can say whether events are missing: the relay is behind or not to be asked.',
      runbook: 'gap-scan-unknown',
      alertsTopic,
    });
  }
}
