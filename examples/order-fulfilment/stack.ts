// Order fulfilment as infrastructure: two consumers with the tables and topics that they change. Copy this folder, keep what
// you need, and add a consumer of your own: consumer.ts (what it is), handler.ts (what it does), one `new EventConsumer` here.

import { join } from 'node:path';
import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import {
  DEFAULT_PARAMETER_PREFIX,
  DeadLetterIntake,
  EventBus,
  EventConsumer,
  EventStore,
  VerifyConsistency,
} from 'event-recovery';
import { inventory } from './inventory/consumer.ts';
import { notification } from './notification/consumer.ts';

export interface OrderFulfilmentStackProps extends StackProps {
  /** SSM prefix of the deployment whose events are consumed. @default '/event-recovery' */
  readonly parameterPrefix?: string;
}

/**
 * Both functions write one item or send one message per event: milliseconds. 5 s leave room for a cold start and a slow
 * answer; the shorter the timeout, the sooner a message of a dead function comes back (6 x 5 s = 30 s).
 */
const TIMEOUT = Duration.seconds(5);

export class OrderFulfilmentStack extends Stack {
  readonly inventory: EventConsumer;
  readonly notification: EventConsumer;

  constructor(scope: Construct, id: string, props: OrderFulfilmentStackProps = {}) {
    super(scope, id, { description: 'Event recovery: order fulfilment, an example', ...props });
    const parameterPrefix = props.parameterPrefix ?? DEFAULT_PARAMETER_PREFIX;
    const eventStore = EventStore.fromDeployment(this, 'EventStore', { parameterPrefix });
    const eventBus = EventBus.fromDeployment(this, 'EventBus', { parameterPrefix });
    const deadLetterIntake = DeadLetterIntake.fromDeployment(this, parameterPrefix);

    // Stock and checkpoints belong together: whoever loses one of them must replay. So this table stays, too.
    const inventoryTable = new Table(this, 'InventoryTable', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.inventory = new EventConsumer(this, 'Inventory', {
      eventStore,
      eventBus,
      deadLetterIntake,
      verification: VerifyConsistency.fromDeployment(this, parameterPrefix),
      consumer: inventory,
      entry: join(import.meta.dirname, 'inventory/handler.ts'),
      timeout: TIMEOUT,
      environment: { INVENTORY_TABLE: inventoryTable.tableName },
    });
    inventoryTable.grant(this.inventory, 'dynamodb:PutItem', 'dynamodb:UpdateItem');
    // For its verify(): it compares what it wrote with the events.
    inventoryTable.grant(this.inventory, 'dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:Scan');

    const confirmationsTopic = new Topic(this, 'ConfirmationsTopic', {
      displayName: 'Order confirmations',
      enforceSSL: true,
    });
    this.notification = new EventConsumer(this, 'Notification', {
      eventStore,
      eventBus,
      deadLetterIntake,
      consumer: notification,
      entry: join(import.meta.dirname, 'notification/handler.ts'),
      timeout: TIMEOUT,
      environment: { CONFIRMATIONS_TOPIC_ARN: confirmationsTopic.topicArn },
    });
    confirmationsTopic.grantPublish(this.notification);

    new CfnOutput(this, 'InventoryTableName', { value: inventoryTable.tableName });
    new CfnOutput(this, 'ConfirmationsTopicArn', { value: confirmationsTopic.topicArn });
  }
}
