// One consumer as infrastructure: bus rule -> queue -> Lambda, with a dead-letter queue behind the queue and one behind the
// rule, alarms that name their runbook, least-privilege grants, and an entry in the registry. Two consumers of one name
// in one deployment are refused at synth.

import { CfnOutput, CustomResource, Stack } from 'aws-cdk-lib';
import type { Metric, MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import { Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { ArnPrincipal, type Grant, type IGrantable, type IPrincipal } from 'aws-cdk-lib/aws-iam';
import { EventSourceMapping, type IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { type CompleteDeclaration, checkDeclaration } from '../../flow/consumer/declaration.ts';
import { InvalidInputError } from '../../model/errors.ts';
import { type ConsumerAlarmsProps, createConsumerAlarms } from './consumer-alarms.ts';
import { createConsumerFunction } from './consumer-function.ts';
import { grantConsuming } from './consumer-grants.ts';
import { claimConsumerName } from './consumer-names.ts';
import { type ConsumerNumbers, consumerNumbers, consumerPattern } from './consumer-numbers.ts';
import { CONSUMER_RESOURCE_TYPE, type ConsumerResourceProperties, REGISTRATION_TIMEOUT } from './consumer-registry.ts';
import type { EventConsumerProps } from './event-consumer-props.ts';
import type { IEventStore } from './event-store-base.ts';
import { createDeadLetterQueue, createQueue, metricDeadLetters } from './queues.ts';
import { attachToIntake } from './recovery/dead-letter-intake.ts';
import { tagForWakeUps } from './recovery/wake-up-grants.ts';

/**
 * @example
 * new EventConsumer(this, 'Inventory', {
 *   eventStore, eventBus,
 *   consumer: { name: 'inventory', eventTypes: ['OrderPlaced'], effects: 'transactional' },
 *   entry: join(import.meta.dirname, 'inventory/handler.ts'),
 * });
 */
export class EventConsumer extends Construct implements IGrantable {
  readonly consumerName: string;
  readonly function: IFunction;
  readonly queue: Queue;
  /** Messages that were received too often. Kept 14 days. */
  readonly deadLetterQueue: Queue;
  /** Events that EventBridge could not put into the queue. Kept 14 days. */
  readonly undeliveredQueue: Queue;
  readonly rule: Rule;
  readonly mapping: EventSourceMapping;
  /** What the function reads from its environment. */
  readonly environmentVariables: Readonly<Record<string, string>>;

  constructor(scope: Construct, id: string, props: EventConsumerProps) {
    super(scope, id);
    const declaration = checkDeclaration(props.consumer);
    const numbers = consumerNumbers(props, declaration);
    const pattern = consumerPattern(declaration);
    this.consumerName = declaration.name;
    claimConsumerName(this, declaration.name, props.eventStore);

    const encryptionKey = props.encryptionKey ?? props.eventStore.encryptionKey;
    this.deadLetterQueue = createDeadLetterQueue(this, 'DeadLetterQueue', { encryptionKey });
    this.undeliveredQueue = createDeadLetterQueue(this, 'UndeliveredQueue', { encryptionKey });
    this.queue = createQueue(this, 'Queue', {
      encryptionKey,
      visibilityTimeout: numbers.visibilityTimeout,
      deadLetterQueue: { queue: this.deadLetterQueue, maxReceiveCount: numbers.maxReceiveCount },
    });
    tagForWakeUps(this.queue, props.eventStore);
    this.rule = new Rule(this, 'Rule', {
      description: `Events for consumer ${declaration.name}`,
      eventBus: props.eventBus.bus,
      eventPattern: pattern,
      // EventBridge tries for 24 hours and 185 times by default; after that the event lies in the undelivered queue.
      targets: [new SqsQueue(this.queue, { deadLetterQueue: this.undeliveredQueue })],
    });

    this.environmentVariables = consumerEnvironment(props.eventStore, this.queue.queueUrl, declaration, numbers);
    this.function = createConsumerFunction(this, props, declaration, numbers, this.environmentVariables);
    grantConsuming(this.function, props.eventStore, declaration.name);
    // What Lambda needs to poll (AWSLambdaSQSQueueExecutionRole), and SendMessage: continuations and retries are wake-ups
    // to its own queue.
    const polling = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];
    this.queue.grant(this.function, ...polling, 'sqs:SendMessage');
    encryptionKey?.grantEncryptDecrypt(this.function);

    const registration = this.register(props, declaration);
    this.mapping = new EventSourceMapping(this, 'Mapping', {
      target: this.function,
      eventSourceArn: this.queue.queueArn,
      batchSize: numbers.batchSize,
      maxBatchingWindow: numbers.maxBatchingWindow,
      maxConcurrency: numbers.maxConcurrency,
      reportBatchItemFailures: true,
    });
    // The rule first, so that nothing after the log head that `startFrom: 'now'` means goes unheard; then the registry,
    // which the function reads when it starts.
    registration.node.addDependency(this.rule);
    this.mapping.node.addDependency(registration);

    if (props.deadLetterIntake !== undefined) {
      attachToIntake(this, 'DeadLetterIntake', props.deadLetterIntake, this.deadLetterQueue);
      attachToIntake(this, 'UndeliveredIntake', props.deadLetterIntake, this.undeliveredQueue);
    }

    this.allowVerification(props, declaration);
    createConsumerAlarms(this, this.alarmProps(props, numbers));
    this.createOutputs();
  }

  get grantPrincipal(): IPrincipal {
    return this.function.grantPrincipal;
  }

  /** Send wake-ups to this consumer. For functions that repair. */
  grantWakeUp(grantee: IGrantable): Grant {
    return this.queue.grantSendMessages(grantee);
  }

  /** Age of the oldest waiting message in seconds. @default maximum over 5 minutes */
  metricQueueAge(options?: MetricOptions): Metric {
    return this.queue.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum', ...options });
  }

  /** Messages in the dead-letter queue. @default maximum over 5 minutes */
  metricDeadLetterQueueDepth(options?: MetricOptions): Metric {
    return this.deadLetterQueue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum', ...options });
  }

  /** Events that EventBridge could not deliver. @default maximum over 5 minutes */
  metricUndelivered(options?: MetricOptions): Metric {
    return this.undeliveredQueue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum', ...options });
  }

  /** Failed invocations. @default sum over 5 minutes */
  metricErrors(options?: MetricOptions): Metric {
    return this.function.metricErrors({ statistic: 'Sum', ...options });
  }

  /** Throttled invocations. @default sum over 5 minutes */
  metricThrottles(options?: MetricOptions): Metric {
    return this.function.metricThrottles({ statistic: 'Sum', ...options });
  }

  /** The function says itself who may ask it: the verification's role knows no consumers. */
  private allowVerification(
    { verification }: EventConsumerProps,
    { name, verifiesEffects }: CompleteDeclaration,
  ): void {
    if (verifiesEffects !== (verification !== undefined)) {
      throw new InvalidInputError('INVALID_VERIFICATION', {
        what: `verification of consumer "${name}", which declares verifiesEffects: ${verifiesEffects}`,
        got: verification === undefined ? 'none' : 'one',
        allowed: 'verification exactly when the consumer declares verifiesEffects: true',
        remedy: verifiesEffects
          ? 'pass verification: VerifyConsistency.fromDeployment(this)'
          : 'remove it, or declare verifiesEffects: true and define verify',
      });
    }
    if (verification === undefined) return;
    this.function.addPermission('Verification', {
      principal: new ArnPrincipal(verification.roleArn),
      action: 'lambda:InvokeFunction',
      scope: this,
    });
  }

  private register(props: EventConsumerProps, declaration: CompleteDeclaration): CustomResource {
    const properties: ConsumerResourceProperties = {
      Declaration: JSON.stringify(declaration),
      QueueUrl: this.queue.queueUrl,
      FunctionName: this.function.functionName,
      Owner: `${Stack.of(this).stackName}/${Stack.of(this).getLogicalId(this.queue.node.defaultChild as never)}`,
    };
    return new CustomResource(this, 'Registration', {
      resourceType: CONSUMER_RESOURCE_TYPE,
      serviceToken: props.eventBus.registrationServiceToken,
      // Without it CloudFormation waits an hour for a function that cannot answer.
      serviceTimeout: REGISTRATION_TIMEOUT,
      properties: { ...properties },
    });
  }

  private alarmProps(props: EventConsumerProps, { queueAgeAlarm }: ConsumerNumbers): ConsumerAlarmsProps {
    return {
      consumerName: this.consumerName,
      alertsTopic: props.alertsTopic ?? props.eventBus.alertsTopic,
      queueAgeAlarm,
      queueAge: this.metricQueueAge(),
      deadLetters: metricDeadLetters(this.deadLetterQueue),
      undelivered: metricDeadLetters(this.undeliveredQueue),
      errors: this.metricErrors(),
      throttles: this.metricThrottles(),
    };
  }

  /** `<Consumer>QueueUrl` and so on, with the consumer's name in Pascal case. */
  private createOutputs(): void {
    const prefix = this.consumerName.replace(/(^|-+)([a-z0-9])/g, (_match, _dash, letter: string) =>
      letter.toUpperCase(),
    );
    const output = (name: string, value: string) =>
      new CfnOutput(this, `${name}Output`, { value }).overrideLogicalId(`${prefix}${name}`);
    output('QueueUrl', this.queue.queueUrl);
    output('DeadLetterQueueUrl', this.deadLetterQueue.queueUrl);
    output('FunctionName', this.function.functionName);
  }
}

const consumerEnvironment = (
  eventStore: IEventStore,
  queueUrl: string,
  declaration: CompleteDeclaration,
  numbers: ConsumerNumbers,
) => ({
  EVENTS_TABLE: eventStore.eventsTable.tableName,
  LOG_TABLE: eventStore.logTable.tableName,
  CHECKPOINTS_TABLE: eventStore.checkpointsTable.tableName,
  DEAD_LETTERS_TABLE: eventStore.deadLettersTable.tableName,
  IDEMPOTENCY_TABLE: eventStore.idempotencyTable.tableName,
  // No permission comes with it: the name is for refusing a `react` that writes there.
  RECOVERY_TABLE: eventStore.recoveryTable.tableName,
  CONSUMER_NAME: declaration.name,
  QUEUE_URL: queueUrl,
  MARKER_TTL_SECONDS: String(numbers.markerTtl.toSeconds()),
});
