// Open gaps: what somebody still owes to a consumer. A row is written in the same transaction as whatever makes the debt
// (un-park, rewind) or by the scan that found it, and only a scan that sees the checkpoint at or past `to` closes it. So a
// repair that fails or a crash between the write and the wake-up is seen again by the next scan.

import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import type { ConsumerName, StreamId, Version } from '../../model/ids.ts';
import type { World } from '../../platform/clock.ts';
import { batchGetAll } from '../../platform/dynamodb/batches.ts';
import type { Dynamo, Write } from '../../platform/dynamodb/port.ts';

const FORMAT = 1;
const SEEN_ROUNDS = 5;

export type GapReason = 'scan' | 'redrive' | 'rewind' | 'replay';

export interface OpenGap {
  consumer: ConsumerName;
  streamId: StreamId;
  /** First version that is owed when the row was written, and the last. */
  from: Version;
  to: Version;
  reason: GapReason;
  openedAt: number;
  lastSeenAt: number;
  /** When a scan met it first, whatever the age of its events; absent until then. */
  foundAt?: number;
  /** Wake-ups sent for it. */
  tries: number;
}

/** Streams by the order of their ids. */
export interface StreamRange {
  from: StreamId;
  to: StreamId;
}

export interface OpenGaps {
  /**
   * For a transaction: opens the debt, or takes over an older one of this stream (`tries` begin again). Refused when the
   * older one reaches further: read it, and open up to there.
   */
  openWrite(gap: Pick<OpenGap, 'consumer' | 'streamId' | 'from' | 'to' | 'reason'>, now: number): Write;
  /**
   * What the scan saw: opens, or raises `to` and keeps the age and the tries.
   * @param since how old the debt is, when there is no row yet
   * @param now when it is seen. @default since
   */
  seen(gap: Pick<OpenGap, 'consumer' | 'streamId' | 'from' | 'to'>, since: number, now?: number): Promise<OpenGap>;
  /** One more wake-up was sent. */
  tried(gap: OpenGap, now: number): Promise<void>;
  /** Close, unless somebody opened more meanwhile (then false). */
  close(gap: OpenGap): Promise<boolean>;
  /** All of one consumer, or those in a range of streams (both ends included), in stream order, page by page. */
  list(consumer: ConsumerName, range?: StreamRange): AsyncIterable<OpenGap>;
  get(consumer: ConsumerName, streamId: StreamId): Promise<OpenGap | undefined>;
  /** Consistent; absent ones are absent. Each stream once. */
  getMany(consumer: ConsumerName, streamIds: readonly StreamId[]): Promise<OpenGap[]>;
}

export interface OpenGapsOptions {
  dynamo: Dynamo;
  table: string;
  world: Pick<World, 'timers' | 'random'>;
}

export function createOpenGaps({ dynamo, table, world }: OpenGapsOptions): OpenGaps {
  const key = (gap: { consumer: string; streamId: string }) => ({ pk: `gap#${gap.consumer}`, sk: gap.streamId });

  return {
    openWrite: ({ consumer, streamId, from, to, reason }, now) => ({
      Update: {
        TableName: table,
        Key: key({ consumer, streamId }),
        UpdateExpression:
          'SET #from = :from, #to = :to, #reason = :reason, #openedAt = :now, #lastSeenAt = :now, #tries = :zero, #format = :format',
        ConditionExpression: 'attribute_not_exists(#to) OR #to <= :to',
        ExpressionAttributeNames: {
          '#from': 'from',
          '#to': 'to',
          '#reason': 'reason',
          '#openedAt': 'openedAt',
          '#lastSeenAt': 'lastSeenAt',
          '#tries': 'tries',
          '#format': 'format',
        },
        ExpressionAttributeValues: {
          ':from': from,
          ':to': to,
          ':reason': reason,
          ':now': now,
          ':zero': 0,
          ':format': FORMAT,
        },
      },
    }),

    async seen(gap, since, now = since) {
      const raise = async (condition: string, to: string) => {
        const { Attributes } = await dynamo.update({
          TableName: table,
          Key: key(gap),
          UpdateExpression: `SET #from = :from, #lastSeenAt = :now, #openedAt = if_not_exists(#openedAt, :since), #foundAt = if_not_exists(#foundAt, :now), #tries = if_not_exists(#tries, :zero), #reason = if_not_exists(#reason, :scan), #format = :format${to}`,
          ConditionExpression: condition,
          ExpressionAttributeNames: {
            '#from': 'from',
            '#to': 'to',
            '#lastSeenAt': 'lastSeenAt',
            '#openedAt': 'openedAt',
            '#foundAt': 'foundAt',
            '#tries': 'tries',
            '#reason': 'reason',
            '#format': 'format',
          },
          ExpressionAttributeValues: {
            ':from': gap.from,
            ':to': gap.to,
            ':now': now,
            ':since': since,
            ':zero': 0,
            ':scan': 'scan',
            ':format': FORMAT,
          },
          ReturnValues: 'ALL_NEW',
        });
        return openGapOf(Attributes as Record<string, unknown>);
      };
      const newOrHigher = 'attribute_not_exists(#to) OR #to <= :to';
      const alreadyHigher = '#to > :to';
      // Closed or raised between the two tries: begin again. Two writers cannot keep that up for long.
      for (let round = 0; ; round++) {
        try {
          return await raise(newOrHigher, ', #to = :to');
        } catch (error) {
          if (!(error instanceof ConditionalCheckFailedException)) throw error;
        }
        try {
          return await raise(alreadyHigher, '');
        } catch (error) {
          if (!(error instanceof ConditionalCheckFailedException) || round === SEEN_ROUNDS) throw error;
        }
      }
    },

    async tried(gap, now) {
      try {
        await dynamo.update({
          TableName: table,
          Key: key(gap),
          UpdateExpression: 'SET #lastSeenAt = :now ADD #tries :one',
          ConditionExpression: '#openedAt = :openedAt',
          ExpressionAttributeNames: { '#lastSeenAt': 'lastSeenAt', '#tries': 'tries', '#openedAt': 'openedAt' },
          ExpressionAttributeValues: { ':now': now, ':one': 1, ':openedAt': gap.openedAt },
        });
      } catch (error) {
        // The row was closed or opened anew meanwhile: that debt counts its own tries.
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
      }
    },

    async close(gap) {
      const sameDebt = '#openedAt = :openedAt';
      const notRaised = '#to = :to';
      try {
        await dynamo.delete({
          TableName: table,
          Key: key(gap),
          ConditionExpression: `attribute_not_exists(pk) OR (${sameDebt} AND ${notRaised})`,
          ExpressionAttributeNames: { '#openedAt': 'openedAt', '#to': 'to' },
          ExpressionAttributeValues: { ':openedAt': gap.openedAt, ':to': gap.to },
        });
        return true;
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return false;
        throw error;
      }
    },

    async *list(consumer, range) {
      let from: Record<string, unknown> | undefined;
      do {
        const { Items = [], LastEvaluatedKey } = await dynamo.query({
          TableName: table,
          KeyConditionExpression: range === undefined ? 'pk = :pk' : 'pk = :pk AND sk BETWEEN :from AND :to',
          ExpressionAttributeValues: {
            ':pk': `gap#${consumer}`,
            ...(range !== undefined && { ':from': range.from, ':to': range.to }),
          },
          ConsistentRead: true,
          ExclusiveStartKey: from,
        });
        for (const item of Items) yield openGapOf(item);
        from = LastEvaluatedKey;
      } while (from);
    },

    async get(consumer, streamId) {
      const { Item } = await dynamo.get({ TableName: table, Key: key({ consumer, streamId }), ConsistentRead: true });
      return Item && openGapOf(Item);
    },

    async getMany(consumer, streamIds) {
      const keys = streamIds.map((streamId) => key({ consumer, streamId }));
      return (await batchGetAll(dynamo, table, keys, { ...world, ConsistentRead: true })).map(openGapOf);
    },
  };
}

const openGapOf = (item: Record<string, unknown>): OpenGap => ({
  consumer: String(item.pk).slice('gap#'.length) as ConsumerName,
  streamId: item.sk as StreamId,
  from: item.from as Version,
  to: item.to as Version,
  reason: item.reason as GapReason,
  openedAt: item.openedAt as number,
  lastSeenAt: item.lastSeenAt as number,
  ...(item.foundAt !== undefined && { foundAt: item.foundAt as number }),
  tries: item.tries as number,
});
