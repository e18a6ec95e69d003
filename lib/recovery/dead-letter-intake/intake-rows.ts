// What the intake remembers in the Recovery table: how often it woke a stream that makes no progress, and every message that
// it could not act on, whole, because its queue forgets it after 14 days.

import { isConditionFailed } from '../../platform/dynamodb/failures.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import type { DeadRecord } from './parse-dead-message.ts';

const FORMAT = 1;
/** A character takes up to 3 bytes in UTF-8, and an item 400 KB (DynamoDB, quotas); SQS messages have up to 1 MiB. */
const CHUNK_CHARACTERS = 120_000;
/** Attributes count into the size of a message (SQS, message metadata): longer ones are kept in parts of their own. */
const SMALL_CHARACTERS = 10_000;

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
      const asText = JSON.stringify(messageAttributes ?? {});
      const isSmall = asText.length <= SMALL_CHARACTERS;
      const bodies = chunks(body).map((text) => ({ body: text, ...(isSmall && { messageAttributes }) }));
      const contents = isSmall ? bodies : [...bodies, ...chunks(asText).map((text) => ({ messageAttributes: text }))];
      const facts = { eventSourceARN, attributes, reason, keptAt: now, parts: contents.length, format: FORMAT };
      for (const [part, content] of contents.entries()) {
        await dynamo.put({
          TableName: table,
          Item: {
            pk: 'undeliverable',
            sk: `${messageId}#${String(part).padStart(4, '0')}`,
            // Without what is undefined, which DynamoDB refuses.
            ...JSON.parse(JSON.stringify({ ...facts, ...content })),
          },
        });
      }
    },
  };
}

/** At least one. No character is split: half of one cannot be stored. */
function chunks(text: string): string[] {
  const parts: string[] = [];
  for (let from = 0; from < text.length || parts.length === 0; ) {
    const to = from + CHUNK_CHARACTERS;
    const end = isHighSurrogate(text.charCodeAt(to - 1)) ? to - 1 : to;
    parts.push(text.slice(from, end));
    from = end;
  }
  return parts;
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
