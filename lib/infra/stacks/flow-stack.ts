// The ground floor in motion: bus, relay, its repair, the registry of consumers. Holds no data; it can be removed and
// deployed again, and the relay goes on where the log ends.

import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { EventBus, type EventBusProps } from '../constructs/event-bus.ts';
import { EventStore } from '../constructs/event-store.ts';
import { DEFAULT_PARAMETER_PREFIX } from '../constructs/shared-parameters.ts';

export interface FlowStackProps extends StackProps, Omit<EventBusProps, 'eventStore'> {
  /** SSM prefix of the deployment. @default '/event-recovery' */
  readonly parameterPrefix?: string;
  /** The key that the Data stack was given. @default - none */
  readonly encryptionKey?: IKey;
}

export class FlowStack extends Stack {
  readonly eventBus: EventBus;

  constructor(scope: Construct, id: string, props: FlowStackProps = {}) {
    super(scope, id, { description: 'Event recovery: bus and relay', ...props });
    const parameterPrefix = props.parameterPrefix ?? DEFAULT_PARAMETER_PREFIX;
    const eventStore = EventStore.fromDeployment(this, 'EventStore', {
      parameterPrefix,
      encryptionKey: props.encryptionKey,
    });
    this.eventBus = new EventBus(this, 'EventBus', { ...props, eventStore });
    this.eventBus.share(parameterPrefix);
    const outputs = {
      EventBusName: this.eventBus.bus.eventBusName,
      AlertsTopicArn: this.eventBus.alertsTopic.topicArn,
      RelayCommitsFunctionName: this.eventBus.relay.function.functionName,
      RepairRelayFunctionName: this.eventBus.repair.function.functionName,
      RegisterConsumerFunctionName: this.eventBus.registry.function.functionName,
      RelayBackfillDeadLetterQueueUrl: this.eventBus.relay.backfillDeadLetterQueue.queueUrl,
      RelayRepairDeadLetterQueueUrl: this.eventBus.repair.deadLetterQueue.queueUrl,
    };
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(this, name, { value });
  }
}
