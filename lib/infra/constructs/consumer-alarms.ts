// The alarms of one consumer. Each says what it means and which heading of the runbook to open.

import { Duration } from 'aws-cdk-lib';
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { runbookAlarm } from './runbook-alarm.ts';

/** A retry waits seconds and a visibility timeout minutes; what is older than this does not come by itself. */
export const DEFAULT_QUEUE_AGE_ALARM = Duration.minutes(15);

export interface ConsumerAlarmsProps {
  readonly consumerName: string;
  readonly alertsTopic: ITopic;
  /** @default Duration.minutes(15) */
  readonly queueAgeAlarm?: Duration;
  readonly queueAge: IMetric;
  readonly deadLetterQueueDepth: IMetric;
  readonly undelivered: IMetric;
  readonly errors: IMetric;
  readonly throttles: IMetric;
}

export function createConsumerAlarms(scope: Construct, props: ConsumerAlarmsProps): void {
  const { consumerName, alertsTopic } = props;
  const queueAge = props.queueAgeAlarm ?? DEFAULT_QUEUE_AGE_ALARM;
  runbookAlarm(scope, 'QueueAgeAlarm', {
    metric: props.queueAge,
    threshold: queueAge.toSeconds(),
    meaning: `Consumer ${consumerName}: the oldest message waits for ${queueAge.toHumanString()}.`,
    runbook: 'consumer-queue-age',
    alertsTopic,
  });
  runbookAlarm(scope, 'DeadLetterQueueAlarm', {
    metric: props.deadLetterQueueDepth,
    threshold: 1,
    meaning: `Consumer ${consumerName}: a message was received too often and lies in the dead-letter queue.`,
    runbook: 'consumer-dead-letter-queue',
    alertsTopic,
  });
  runbookAlarm(scope, 'UndeliveredAlarm', {
    metric: props.undelivered,
    threshold: 1,
    meaning: `Consumer ${consumerName}: EventBridge could not deliver an event to the queue.`,
    runbook: 'consumer-undelivered',
    alertsTopic,
  });
  // Single failures are retried; what fails for 15 minutes is not a coincidence.
  runbookAlarm(scope, 'ErrorsAlarm', {
    metric: props.errors,
    threshold: 1,
    evaluationPeriods: 3,
    meaning: `Consumer ${consumerName}: the function crashes, times out or throws for 15 minutes.`,
    runbook: 'consumer-errors',
    alertsTopic,
  });
  runbookAlarm(scope, 'ThrottlesAlarm', {
    metric: props.throttles,
    threshold: 1,
    evaluationPeriods: 3,
    meaning: `Consumer ${consumerName}: the function is throttled for 15 minutes.`,
    runbook: 'consumer-throttles',
    alertsTopic,
  });
}
