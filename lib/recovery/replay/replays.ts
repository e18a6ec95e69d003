// Replays in the Recovery table. The status changes only from one that was named, progress only under the newest worker's
// token, and the consumer's place (`replay-open`) is taken and given back in the same transaction as the replay's status.

import { cancellation, isConditionFailed } from '../../platform/dynamodb/failures.ts';
import { queryAll } from '../../platform/dynamodb/pages.ts';
import type { Dynamo, Write } from '../../platform/dynamodb/port.ts';
import { appliedWrite } from '../plan/plans.ts';
import { isFinished, type Replay, type Replays } from './port.ts';

export const REPLAY_FORMAT = 1;
const PARTITION = 'replay';
const OPEN_PARTITION = 'replay-open';
const BACKFILL_PARTITION = 'replay-backfill';

export function createReplays({ dynamo, table }: { dynamo: Dynamo; table: string }): Replays {
  const key = (id: string) => ({ pk: PARTITION, sk: id });
  const placeKey = (consumer: string) => ({ pk: OPEN_PARTITION, sk: consumer });

  async function get(id: string): Promise<Replay | undefined> {
    const { Item } = await dynamo.get({ TableName: table, Key: key(id), ConsistentRead: true });
    return Item && replayOf(Item);
  }

  const leavePlace = ({ id, consumer }: Pick<Replay, 'id' | 'consumer'>): Write => ({
    Delete: {
      TableName: table,
      Key: placeKey(consumer),
      ConditionExpression: 'attribute_not_exists(pk) OR #replayId = :id',
      ExpressionAttributeNames: { '#replayId': 'replayId' },
      ExpressionAttributeValues: { ':id': id },
    },
  });

  return {
    get,

    async create(replay, alongside) {
      const { id, consumer } = replay;
      const isNew = 'attribute_not_exists(pk)';
      try {
        await dynamo.transactWrite({
          TransactItems: [
            { Put: { TableName: table, Item: { ...key(id), ...replay }, ConditionExpression: isNew } },
            {
              Put: {
                TableName: table,
                Item: { ...placeKey(consumer), replayId: id, format: REPLAY_FORMAT },
                ConditionExpression: isNew,
              },
            },
            appliedWrite(table, id),
            ...alongside,
          ],
        });
        return { kind: 'created' };
      } catch (error) {
        if (cancellation(error)?.kind !== 'refused') throw error;
        if ((await get(id)) !== undefined) return { kind: 'exists' };
        const { Item } = await dynamo.get({ TableName: table, Key: placeKey(consumer), ConsistentRead: true });
        // Given back in this moment: whoever asks again finds it free.
        return { kind: 'busy', replayId: String(Item?.replayId ?? 'one that has just ended') };
      }
    },

    async transition(id, from, { status, note }, now) {
      const before = await get(id);
      if (before === undefined || !from.includes(before.status)) return undefined;
      const isAsSeen = '#status = :before';
      const resumed = status === 'running';
      const update: Write = {
        Update: {
          TableName: table,
          Key: key(id),
          UpdateExpression: `SET #status = :status, #note = :note, #updatedAt = :now${
            resumed ? ', #baseDone = #doneRows, #baseFailed = #failedRows, #progressAt = :now, #quietMs = :zero' : ''
          }${isFinished({ status }) ? ', #finishedAt = :now' : ''}`,
          ConditionExpression: isAsSeen,
          ExpressionAttributeNames: {
            '#status': 'status',
            '#note': 'note',
            '#updatedAt': 'updatedAt',
            ...(resumed && {
              '#baseDone': 'baseDone',
              '#doneRows': 'doneRows',
              '#baseFailed': 'baseFailed',
              '#failedRows': 'failedRows',
              '#progressAt': 'progressAt',
              '#quietMs': 'quietMs',
            }),
            ...(isFinished({ status }) && { '#finishedAt': 'finishedAt' }),
          },
          ExpressionAttributeValues: {
            ':status': status,
            ':note': note,
            ':now': now,
            ':before': before.status,
            ...(resumed && { ':zero': 0 }),
          },
        },
      };
      const writes = isFinished({ status }) ? [update, leavePlace(before)] : [update];
      return (await transacted(dynamo, writes)) ? get(id) : undefined;
    },

    async begin(id, token) {
      const noNewerWorker = 'attribute_exists(pk) AND (attribute_not_exists(#token) OR #token <= :token)';
      return succeeded(
        dynamo.update({
          TableName: table,
          Key: key(id),
          UpdateExpression: 'SET #token = :token',
          ConditionExpression: noNewerWorker,
          ExpressionAttributeNames: { '#token': 'token' },
          ExpressionAttributeValues: { ':token': token },
        }),
      );
    },

    async progress(id, token, progress, now) {
      const fields = Object.entries({ ...progress, updatedAt: now });
      try {
        const { Attributes } = await dynamo.update({
          TableName: table,
          Key: key(id),
          UpdateExpression: `SET ${fields.map(([name]) => `#${name} = :${name}`).join(', ')}`,
          ConditionExpression: '#token = :token',
          ExpressionAttributeNames: {
            '#token': 'token',
            ...Object.fromEntries(fields.map(([name]) => [`#${name}`, name])),
          },
          ExpressionAttributeValues: {
            ':token': token,
            ...Object.fromEntries(fields.map(([name, value]) => [`:${name}`, value])),
          },
          ReturnValues: 'ALL_NEW',
        });
        return replayOf(Attributes as Record<string, unknown>);
      } catch (error) {
        if (isConditionFailed(error)) return undefined;
        throw error;
      }
    },

    async finish(replay, token, now) {
      const isOurs = '#status = :running AND #token = :token';
      const update: Write = {
        Update: {
          TableName: table,
          Key: key(replay.id),
          UpdateExpression: 'SET #status = :done, #finishedAt = :now, #updatedAt = :now',
          ConditionExpression: isOurs,
          ExpressionAttributeNames: {
            '#status': 'status',
            '#token': 'token',
            '#finishedAt': 'finishedAt',
            '#updatedAt': 'updatedAt',
          },
          ExpressionAttributeValues: { ':running': 'running', ':done': 'done', ':token': token, ':now': now },
        },
      };
      return transacted(dynamo, [update, leavePlace(replay)]);
    },

    async claimBackfill(consumer, requestedAt, now, againMs) {
      const isNew = 'attribute_not_exists(pk)';
      const isAnother = '#requestedAt <> :requestedAt';
      const isOld = '#claimedAt <= :before';
      return succeeded(
        dynamo.update({
          TableName: table,
          Key: { pk: BACKFILL_PARTITION, sk: consumer },
          UpdateExpression: 'SET #requestedAt = :requestedAt, #claimedAt = :now, #format = :format',
          ConditionExpression: [isNew, isAnother, isOld].join(' OR '),
          ExpressionAttributeNames: { '#requestedAt': 'requestedAt', '#claimedAt': 'claimedAt', '#format': 'format' },
          ExpressionAttributeValues: {
            ':requestedAt': requestedAt,
            ':now': now,
            ':before': now - againMs,
            ':format': REPLAY_FORMAT,
          },
        }),
      );
    },

    async *open() {
      for await (const { replayId } of queryAll(dynamo, {
        TableName: table,
        KeyConditionExpression: 'pk = :open',
        ExpressionAttributeValues: { ':open': OPEN_PARTITION },
        ConsistentRead: true,
      })) {
        const replay = await get(String(replayId));
        if (replay !== undefined && !isFinished(replay)) yield replay;
      }
    },
  };
}

function replayOf({ pk: _pk, sk: _sk, token: _token, ...replay }: Record<string, unknown>): Replay {
  return replay as unknown as Replay;
}

const transacted = (dynamo: Dynamo, TransactItems: Write[]): Promise<boolean> =>
  succeeded(dynamo.transactWrite({ TransactItems }));

async function succeeded(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (isConditionFailed(error) || cancellation(error)?.kind === 'refused') return false;
    throw error;
  }
}
