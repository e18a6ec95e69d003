// The consumers of examples/order-fulfilment as a drill sees them: the inventory's effect is a row of its ledger of
// movements, under a random key; the notification's effect is a message. The rows are read with a plain client, the
// messages come through a queue of the drill's own on the same topic.

import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { EventRecoveryError } from '../../../model/errors.ts';
import type { Effect } from '../ledger.ts';
import type { DrillSystem } from '../system.ts';
import { openTopicQueue } from '../topic-queue.ts';
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
    onPoison: 'park',
    eventTypes: ['OrderPlaced', 'OrderCancelled'],
    verifiesEffects: true,
    queueUrlOutput: 'InventoryQueueUrl',
    effectCall: { service: 'dynamodb', operation: 'TransactWriteItems' },
    // A policy that denies: the transaction is refused as a whole, and the SDK does not try again by itself.
    refusal: { code: 'AccessDeniedException', status: 400 },
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
    onPoison: 'skip',
    eventTypes: ['OrderPlaced'],
    queueUrlOutput: 'NotificationQueueUrl',
    effectCall: { service: 'sns', operation: 'Publish' },
    refusal: { code: 'AuthorizationError', status: 403 },
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
  const confirmations = await openTopicQueue(system, topic, `effects-${prefix}`);
  const isOurs = (effect: Effect): boolean => effect.streamId.startsWith(prefix);
  return {
    async applied(consumer) {
      if (consumer === 'notification') {
        return (await confirmations.messages()).map(messageEffect).filter(isOurs);
      }
      return (await movements(dynamodb, table)).filter(isOurs);
    },
    async stop() {
      dynamodb.destroy();
      confirmations.stop();
    },
  };
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
