// What the intake remembers in the Recovery table: how often it woke a stream that makes no progress, and every message that
// it could not act on, whole, because its queue forgets it after 14 days.

import { isConditionFailed } from '../../platform/dynamodb/failures.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import type { DeadRecord } from './parse-dead-message.ts';

const FORMAT = 1;
/** A character takes up to 3 bytes in UTF-8, and an item 400 KB (DynamoDB, quotas); SQS messages have up to 1 MiB. */
const CHUNK_CHARACTERS = 120_000;

export interface IntakeRows {
  /** Wake-ups since the checkpoint moved to `resolved`. */
  rounds(consumer: string, streamId: string, resolved: number): Promise<number>;
  /** One more. */
  count(consumer: string, streamId: string, resolved: number, now: number): Promise<void>;
  /** Keeps a message; again with the same id changes nothing. */
  keep(record: DeadRecord, reason: string, now: number): Promise<void>;
}

export function createIntakeRows({ dynamo, table }: { dynamo: Dynamo; table: string }): IntakeRows {
  const key = (consumer: string, streamId: string) => ({ pk: `intake#${consumer}`, sk: streamId });
  return {
    async rounds(consumer, streamId, resolved) {
      const { Item } = await dynamo.get({ TableName: table, Key: key(consumer, streamId), ConsistentRead: true });
      return Item?.resolved === resolved ? Number(Item.rounds) : 0;
    },
    async count(consumer, streamId, resolved, now) {
      const noProgress = '#resolved = :resolved';
      try {
        await dynamo.update({
          TableName: table,
          Key: key(consumer, streamId),
          UpdateExpression: 'SET #updatedAt = :now ADD #rounds :one',
          ConditionExpression: noProgress,
          ExpressionAttributeNames: { '#resolved': 'resolved', '#updatedAt': 'updatedAt', '#rounds': 'rounds' },
          ExpressionAttributeValues: { ':resolved': resolved, ':now': now, ':one': 1 },
        });
      } catch (error) {
        if (!isConditionFailed(error)) throw error;
        const Item = { ...key(consumer, streamId), resolved, rounds: 1, updatedAt: now, format: FORMAT };
        await dynamo.put({ TableName: table, Item });
      }
    },
    async keep({ messageId, body, eventSourceARN, attributes, messageAttributes }, reason, now) {
      const parts = Math.max(1, Math.ceil(body.length / CHUNK_CHARACTERS));
      for (let part = 0; part < parts; part++) {
        const text = body.slice(part * CHUNK_CHARACTERS, (part + 1) * CHUNK_CHARACTERS);
        const facts = { eventSourceARN, attributes, messageAttributes, reason, keptAt: now };
        await dynamo.put({
          TableName: table,
          Item: {
            pk: 'undeliverable',
            sk: `${messageId}#${String(part).padStart(4, '0')}`,
            parts,
            body: text,
            ...JSON.parse(JSON.stringify(facts)),
            format: FORMAT,
          },
        });
      }
    },
  };
}
