// The repair behind the relay: each batch that the relay's event source mapping gave up on lies as one object in the
// relay-failures bucket; S3 tells EventBridge, and this function relays what the batch was about. It reads the store, so
// nothing depends on the object being complete. What the repair cannot do ends in a queue with an alarm.

import { Duration } from 'aws-cdk-lib';
import { Metric, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import type * as events from 'aws-cdk-lib/aws-events';
import { Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { acknowledgeResourceWildcard } from './acknowledgements.ts';
import { ASYNC_INVOKE, ProjectFunction } from './event-function.ts';
import type { IEventStore } from './event-store-base.ts';
import { createDeadLetterQueue, metricDeadLetters } from './queues.ts';
import { grantRelaying, relayEnvironment } from './relay.ts';
import { runbookAlarm } from './runbook-alarm.ts';

/** One batch of at most 99 records; five times the relay's own minute, because a backfill may stand behind each. */
export const REPAIR_TIMEOUT = Duration.minutes(5);
export interface RelayRepairProps {
  readonly eventStore: IEventStore;
  readonly bus: events.IEventBus;
  readonly alertsTopic: ITopic;
}

export class RelayRepair extends Construct {
  readonly function: LambdaFunction;
  /** Batches whose repair failed, as EventBridge or Lambda gave up on them. */
  readonly deadLetterQueue: Queue;
  readonly rule: Rule;

  constructor(scope: Construct, id: string, props: RelayRepairProps) {
    super(scope, id);
    const { eventStore, bus, alertsTopic } = props;
    const bucket = eventStore.relayFailuresBucket;
    this.deadLetterQueue = createDeadLetterQueue(this, 'DeadLetterQueue', { encryptionKey: eventStore.encryptionKey });
    const repair = new ProjectFunction(this, 'RepairRelay', 'repair-relay', {
      description: 'Relays the batches that the relay gave up on',
      timeout: REPAIR_TIMEOUT,
      environment: relayEnvironment(eventStore, bus),
    });
    this.function = repair.function;
    grantRelaying(this.function, eventStore, bus);
    const objects = bucket.arnForObjects('*');
    this.function.addToRolePolicy(new PolicyStatement({ actions: ['s3:GetObject'], resources: [objects] }));
    acknowledgeResourceWildcard(repair, objects, 'Lambda chooses the keys of its failure records.');
    bucket.encryptionKey?.grantDecrypt(this.function);
    this.function.configureAsyncInvoke({ ...ASYNC_INVOKE, onFailure: new SqsDestination(this.deadLetterQueue) });
    this.rule = new Rule(this, 'GaveUpRule', {
      description: 'A batch that the relay gave up on was written to the relay-failures bucket',
      eventPattern: {
        source: ['aws.s3'],
        detailType: ['Object Created'],
        detail: { bucket: { name: [bucket.bucketName] } },
      },
      targets: [new LambdaTarget(this.function, { deadLetterQueue: this.deadLetterQueue })],
    });
    runbookAlarm(this, 'GaveUpAlarm', {
      metric: this.metricGaveUp(),
      threshold: 1,
      meaning:
        'The relay gave up on a batch; its records lie in the relay-failures bucket and are repaired from there.',
      runbook: 'relay-gave-up',
      alertsTopic,
    });
    runbookAlarm(this, 'FailedAlarm', {
      metric: metricDeadLetters(this.deadLetterQueue),
      threshold: 1,
      meaning:
        'A batch that the relay gave up on could not be repaired either; its events are stored but not delivered.',
      runbook: 'relay-repair-failed',
      alertsTopic,
    });
  }

  /** Batches that the relay gave up on. @default sum over 5 minutes */
  metricGaveUp(options?: MetricOptions): Metric {
    return new Metric({
      namespace: 'AWS/Events',
      metricName: 'TriggeredRules',
      dimensionsMap: { RuleName: this.rule.ruleName },
      statistic: 'Sum',
      period: Duration.minutes(5),
      ...options,
    });
  }
}
