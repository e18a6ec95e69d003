// The way of events from the store to the consumers: the bus, the relay that fills it, the repair behind the relay, the
// registry of consumers, and the topic that alarms go to.

import { Stack } from 'aws-cdk-lib';
import type { Metric, MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import * as events from 'aws-cdk-lib/aws-events';
import { type Grant, type IGrantable, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { Construct, type IConstruct } from 'constructs';
import { ConsumerRegistry } from './consumer-registry.ts';
import type { IEventStore } from './event-store-base.ts';
import { Relay, type RelayOptions } from './relay.ts';
import { RelayRepair } from './relay-repair.ts';
import { DEFAULT_PARAMETER_PREFIX, sharedValue, shareValues } from './shared-parameters.ts';

/** What a consumer needs of the bus, whether it is made in this app or looked up. */
export interface IEventBus extends IConstruct {
  readonly bus: events.IEventBus;
  /** Alarms and dead letters are announced here. */
  readonly alertsTopic: ITopic;
  /** ARN of the function behind the custom resource that registers consumers. */
  readonly registrationServiceToken: string;
  /** The relay's function and its event source mapping: evidence of how far the log is behind the store. */
  readonly relayFunctionArn: string;
  readonly relayMappingArn: string;
  /** Queues of what the relay's backfills and its repair gave up on. */
  readonly deadLetterQueueArns: readonly string[];
}

export interface EventBusProps {
  readonly eventStore: IEventStore;
  /** An existing bus. @default - a new custom bus */
  readonly eventBus?: events.IEventBus;
  /** An existing topic that CloudWatch may publish to. @default - a new topic without subscriptions */
  readonly alertsTopic?: ITopic;
  /** @default - see RelayOptions */
  readonly relay?: RelayOptions;
}

/**
 * Bus and relay of one deployment.
 * @example
 * const eventStore = new EventStore(this, 'EventStore');
 * const eventBus = new EventBus(this, 'EventBus', { eventStore });
 */
export class EventBus extends Construct implements IEventBus {
  readonly bus: events.IEventBus;
  readonly alertsTopic: ITopic;
  readonly registrationServiceToken: string;
  readonly relayFunctionArn: string;
  readonly relayMappingArn: string;
  readonly deadLetterQueueArns: readonly string[];
  readonly relay: Relay;
  readonly repair: RelayRepair;
  readonly registry: ConsumerRegistry;

  /** The bus of a deployment in the same account and region, by its SSM parameters. */
  static fromDeployment(scope: Construct, id: string, props: { readonly parameterPrefix?: string } = {}): IEventBus {
    return new DeployedEventBus(scope, id, props.parameterPrefix ?? DEFAULT_PARAMETER_PREFIX);
  }

  constructor(scope: Construct, id: string, props: EventBusProps) {
    super(scope, id);
    const { eventStore } = props;
    this.bus =
      props.eventBus ??
      new events.EventBus(this, 'Bus', {
        description: 'Events of the event store, as published by the relay',
        kmsKey: eventStore.encryptionKey,
      });
    this.alertsTopic = props.alertsTopic ?? this.createAlertsTopic(eventStore);
    const { bus, alertsTopic } = this;
    this.registry = new ConsumerRegistry(this, 'ConsumerRegistry', { eventStore });
    this.registrationServiceToken = this.registry.function.functionArn;
    this.relay = new Relay(this, 'Relay', { ...props.relay, eventStore, bus, alertsTopic });
    this.relayFunctionArn = this.relay.function.functionArn;
    this.relayMappingArn = this.relay.mapping.eventSourceMappingArn;
    this.repair = new RelayRepair(this, 'RelayRepair', { eventStore, bus, alertsTopic });
    this.deadLetterQueueArns = [this.relay.backfillDeadLetterQueue.queueArn, this.repair.deadLetterQueue.queueArn];
  }

  /**
   * Let other stacks find it with `EventBus.fromDeployment`.
   * @param parameterPrefix the one that the event store is shared under
   */
  share(parameterPrefix: string = DEFAULT_PARAMETER_PREFIX): void {
    shareValues(this, parameterPrefix, {
      'event-bus-name': this.bus.eventBusName,
      'alerts-topic-arn': this.alertsTopic.topicArn,
      'register-consumer-function-arn': this.registrationServiceToken,
      'relay-commits-function-arn': this.relayFunctionArn,
      'relay-mapping-arn': this.relayMappingArn,
      'relay-backfill-dead-letter-queue-arn': this.relay.backfillDeadLetterQueue.queueArn,
      'relay-repair-dead-letter-queue-arn': this.repair.deadLetterQueue.queueArn,
    });
  }

  /** Publish to the bus. Only for rehearsals: what is published here was not appended. */
  grantPutEvents(grantee: IGrantable): Grant {
    return this.bus.grantPutEventsTo(grantee);
  }

  /** How far the relay is behind the Events table, in milliseconds. @default maximum over 5 minutes */
  metricRelayAge(options?: MetricOptions): Metric {
    return this.relay.metricIteratorAge(options);
  }

  private createAlertsTopic(eventStore: IEventStore): ITopic {
    const topic = new Topic(this, 'AlertsTopic', {
      displayName: 'Event recovery alerts',
      enforceSSL: true,
      masterKey: eventStore.encryptionKey,
    });
    // A topic with a policy of its own loses the default one, which let the account's alarms publish.
    topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AlarmsOfThisAccount',
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
    eventStore.encryptionKey?.grantEncryptDecrypt(new ServicePrincipal('cloudwatch.amazonaws.com'));
    return topic;
  }
}

class DeployedEventBus extends Construct implements IEventBus {
  readonly bus: events.IEventBus;
  readonly alertsTopic: ITopic;
  private readonly prefix: string;

  constructor(scope: Construct, id: string, prefix: string) {
    super(scope, id);
    this.prefix = prefix;
    this.bus = events.EventBus.fromEventBusName(this, 'Bus', sharedValue(this, prefix, 'event-bus-name'));
    this.alertsTopic = Topic.fromTopicArn(this, 'AlertsTopic', sharedValue(this, prefix, 'alerts-topic-arn'));
  }

  // Looked up when asked for: most stacks do not need them.
  get registrationServiceToken(): string {
    return sharedValue(this, this.prefix, 'register-consumer-function-arn');
  }
  get relayFunctionArn(): string {
    return sharedValue(this, this.prefix, 'relay-commits-function-arn');
  }
  get relayMappingArn(): string {
    return sharedValue(this, this.prefix, 'relay-mapping-arn');
  }
  get deadLetterQueueArns(): string[] {
    return [
      sharedValue(this, this.prefix, 'relay-backfill-dead-letter-queue-arn'),
      sharedValue(this, this.prefix, 'relay-repair-dead-letter-queue-arn'),
    ];
  }
}
