// The alarms of one consumer. Each says what it means and which heading of the runbook to open.

import type { Duration } from 'aws-cdk-lib';
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { runbookAlarm } from './runbook-alarm.ts';

export interface ConsumerAlarmsProps {
  readonly consumerName: string;
  readonly alertsTopic: ITopic;
  readonly queueAgeAlarm: Duration;
  readonly queueAge: IMetric;
  readonly deadLetters: IMetric;
  readonly undelivered: IMetric;
  readonly errors: IMetric;
  readonly throttles: IMetric;
}

export function createConsumerAlarms(scope: Construct, props: ConsumerAlarmsProps): void {
  const { consumerName, alertsTopic, queueAgeAlarm } = props;
  runbookAlarm(scope, 'QueueAgeAlarm', {
    metric: props.queueAge,
    threshold: queueAgeAlarm.toSeconds(),
    meaning: `Consumer ${consumerName}: the oldest message waits for ${queueAgeAlarm.toHumanString()}.`,
    runbook: 'consumer-queue-age',
    alertsTopic,
  });
  runbookAlarm(scope, 'DeadLetterQueueAlarm', {
    metric: props.deadLetters,
    threshold: 1,
    meaning: `Consumer ${consumerName}: a message was received too often and came into the dead-letter queue.`,
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
