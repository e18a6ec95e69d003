// The consumers of examples/order-fulfilment as a drill sees them: the inventory's effect is a row of its ledger of
// movements, under a random key; the notification's effect is a message. The rows are read with a plain client, the
// messages come through a queue of the drill's own on the same topic.

import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand, DeleteMessageBatchCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { EventRecoveryError } from '../../../model/errors.ts';
import type { Effect } from '../ledger.ts';
import type { DrillSystem } from '../system.ts';
import type { EffectLog, WatchedConsumer } from '../workload.ts';

const MOVEMENT_PREFIX = 'movement#';

type Attribute = { S?: string; N?: string };
type Item = Record<string, Attribute>;

function movementEffect(item: Item): Effect | undefined {
  if (!item.pk?.S?.startsWith(MOVEMENT_PREFIX)) return undefined;
  return {
    consumer: 'inventory',
    streamId: String(item.streamId?.S),
    version: Number(item.version?.N),
    eventId: String(item.eventId?.S),
  };
}

function messageEffect(message: string): Effect {
  const { streamId, version, eventId } = JSON.parse(message) as { streamId: string; version: number; eventId: string };
  return { consumer: 'notification', streamId, version, eventId };
}

export const ORDER_CONSUMERS: readonly WatchedConsumer[] = [
  {
    name: 'inventory',
    effects: 'transactional',
    eventTypes: ['OrderPlaced', 'OrderCancelled'],
    queueUrlOutput: 'InventoryQueueUrl',
    effectCall: { service: 'dynamodb', operation: 'TransactWriteItems' },
    effectOf({ bodyText }) {
      const { TransactItems = [] } = JSON.parse(bodyText) as {
        TransactItems?: { Put?: { Item: Item } }[];
      };
      for (const { Put } of TransactItems) {
        const effect = Put && movementEffect(Put.Item);
        if (effect) return effect;
      }
      return undefined;
    },
    isEffectOf: (bodyText, eventId) =>
      bodyText.includes(MOVEMENT_PREFIX) && bodyText.includes(`{"S":${JSON.stringify(eventId)}}`),
  },
  {
    name: 'notification',
    effects: 'idempotent',
    eventTypes: ['OrderPlaced'],
    queueUrlOutput: 'NotificationQueueUrl',
    effectCall: { service: 'sns', operation: 'Publish' },
    effectOf: ({ bodyText }) => messageEffect(new URLSearchParams(bodyText).get('Message') ?? '{}'),
    isEffectOf: (bodyText, eventId) =>
      messageEffect(new URLSearchParams(bodyText).get('Message') ?? '{}').eventId === eventId,
  },
];

/** A queue on the confirmations topic, and reads of the movements table. Only streams that begin with `prefix` count. */
export async function openOrderEffects(system: DrillSystem, prefix: string): Promise<EffectLog> {
  const table = required(system, 'InventoryTableName');
  const topic = required(system, 'ConfirmationsTopicArn');
  const dynamodb = new DynamoDBClient(system.clientConfig);
  const sqs = new SQSClient(system.clientConfig);
  const sns = new SNSClient(system.clientConfig);
  const queue = await subscribeQueue(
    sqs,
    sns,
    topic,
    `effects-${prefix}`.replaceAll(/[^A-Za-z0-9_-]/g, '-').slice(0, 80),
  );
  const messages: Effect[] = [];

  const isOurs = (effect: Effect): boolean => effect.streamId.startsWith(prefix);
  return {
    async applied(consumer) {
      if (consumer === 'notification') {
        messages.push(...(await drain(sqs, queue)).map(messageEffect).filter(isOurs));
        return [...messages];
      }
      return (await movements(dynamodb, table)).filter(isOurs);
    },
    async stop() {
      for (const client of [dynamodb, sqs, sns]) client.destroy();
    },
  };
}

async function subscribeQueue(sqs: SQSClient, sns: SNSClient, TopicArn: string, name: string): Promise<string> {
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
  const [account, region] = [TopicArn.split(':')[4], TopicArn.split(':')[3]];
  const Endpoint = `arn:aws:sqs:${region}:${account}:${name}`;
  await sns.send(
    new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint, Attributes: { RawMessageDelivery: 'true' } }),
  );
  return QueueUrl;
}

/** Everything that lies in the queue now. Messages leave it in batches of ten until it is empty. */
async function drain(sqs: SQSClient, QueueUrl: string): Promise<string[]> {
  const bodies: string[] = [];
  for (;;) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 0 }),
    );
    if (Messages.length === 0) return bodies;
    bodies.push(...Messages.map((message) => String(message.Body)));
    const Entries = Messages.map((message, index) => ({ Id: String(index), ReceiptHandle: message.ReceiptHandle }));
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
  }
}

async function movements(dynamodb: DynamoDBClient, TableName: string): Promise<Effect[]> {
  const effects: Effect[] = [];
  let ExclusiveStartKey: Item | undefined;
  do {
    const page = await dynamodb.send(
      new ScanCommand({ TableName, ConsistentRead: true, ExclusiveStartKey: ExclusiveStartKey as never }),
    );
    effects.push(...((page.Items ?? []) as Item[]).flatMap((item) => movementEffect(item) ?? []));
    ExclusiveStartKey = page.LastEvaluatedKey as Item | undefined;
  } while (ExclusiveStartKey !== undefined);
  return effects;
}

function required(system: DrillSystem, output: string): string {
  const value = system.outputs[output];
  if (value !== undefined) return value;
  throw new EventRecoveryError(
    'DRILL_NEEDS_EXAMPLE',
    `the app has no output ${output}; remedy: deploy examples/order-fulfilment with it, the drill watches its consumers`,
    { facts: { output } },
  );
}
