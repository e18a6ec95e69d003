// Starts the engines side by side, and stops them all when one of them does not come up.

import { type DynamoDbEngine, type DynamoDbEngineOptions, startDynamoDb } from './dynamodb.ts';
import { type MessagingEngine, startMessaging } from './messaging.ts';

export interface Engines {
  dynamodb: DynamoDbEngine;
  messaging: MessagingEngine;
  stop(): Promise<void>;
}

export async function startEngines(options: DynamoDbEngineOptions = {}): Promise<Engines> {
  const [dynamodb, messaging] = await Promise.allSettled([startDynamoDb(options), startMessaging()]);
  if (dynamodb.status === 'fulfilled' && messaging.status === 'fulfilled') {
    return {
      dynamodb: dynamodb.value,
      messaging: messaging.value,
      async stop() {
        await messaging.value.stop();
        dynamodb.value.stop();
      },
    };
  }
  if (dynamodb.status === 'fulfilled') dynamodb.value.stop();
  if (messaging.status === 'fulfilled') await messaging.value.stop();
  throw dynamodb.status === 'rejected' ? dynamodb.reason : (messaging as PromiseRejectedResult).reason;
}
