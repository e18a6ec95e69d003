// Findings as rows of the Recovery table. A damage has one row, however often it is met; a row that was repaired and is met
// again is open again, and is announced again.

import { createHash } from 'node:crypto';
import { withRetries } from '../../flow/log/retry.ts';
import type { World } from '../../platform/clock.ts';
import { isConditionFailed } from '../../platform/dynamodb/failures.ts';
import { queryAll } from '../../platform/dynamodb/pages.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import type { Damage, Finding } from './types.ts';

const FORMAT = 1;
const PARTITION = 'finding';
const ID_DIGITS = 40;

/** Stable: the same damage, met again by another look, has the same id. */
export const findingId = ({
  kind,
  streamId,
  from,
  evidence,
}: Pick<Damage, 'kind' | 'streamId' | 'from' | 'evidence'>) =>
  createHash('sha256')
    .update(JSON.stringify([kind, streamId, from, evidence.key ?? '']))
    .digest('hex')
    .slice(0, ID_DIGITS);

export interface Findings {
  /** Writes the damage down. Answers whether its row was new, or open before. */
  record(damage: Damage, now: number): Promise<{ id: string; isNew: boolean }>;
  /** A look that began at `before` met it no more. False: somebody has met it since. */
  close(id: string, before: number, now: number): Promise<boolean>;
  mark(id: string, what: 'announcedAt' | 'handedOverAt', now: number): Promise<void>;
  /** Open ones, at most `limit`, in no order. */
  open(limit: number): Promise<Finding[]>;
}

/** A row changes its status at most once between two tries; nobody fights over it. */
const TRIES = 3;

/** @example const { id, isNew } = await createFindings({ dynamo, table, world }).record(damage, clock.now()); */
export function createFindings({
  dynamo,
  table,
  world,
}: {
  dynamo: Dynamo;
  table: string;
  world: Pick<World, 'timers' | 'random'>;
}): Findings {
  const key = (id: string) => ({ pk: PARTITION, sk: id });
  const isThere = 'attribute_exists(pk)';
  const isNew = 'attribute_not_exists(pk)';
  const isOpen = '#status = :open';
  const isRepaired = '#status = :repaired';

  async function succeeded(write: () => Promise<unknown>): Promise<boolean> {
    try {
      await withRetries(world, write);
      return true;
    } catch (error) {
      if (isConditionFailed(error)) return false;
      throw error;
    }
  }

  return {
    async record(damage, now) {
      const id = findingId(damage);
      const again = {
        TableName: table,
        Key: key(id),
        ExpressionAttributeNames: {
          '#status': 'status',
          '#lastSeenAt': 'lastSeenAt',
          '#seen': 'seen',
          '#to': 'to',
          '#detail': 'detail',
          '#evidence': 'evidence',
        },
      };
      const facts = {
        ':now': now,
        ':one': 1,
        ':to': damage.to,
        ':detail': damage.detail,
        ':evidence': damage.evidence,
      };
      const set = '#lastSeenAt = :now, #to = :to, #detail = :detail, #evidence = :evidence, #seen = #seen + :one';
      for (let tries = 0; tries < TRIES; tries += 1) {
        const item = { ...damage, id, source: 'scrub', status: 'open', firstSeenAt: now, lastSeenAt: now, seen: 1 };
        const put = { TableName: table, Item: { ...key(id), ...item, format: FORMAT }, ConditionExpression: isNew };
        if (await succeeded(() => dynamo.put(put))) return { id, isNew: true };
        const met = {
          ...again,
          UpdateExpression: `SET ${set}`,
          ConditionExpression: isOpen,
          ExpressionAttributeValues: { ...facts, ':open': 'open' },
        };
        if (await succeeded(() => dynamo.update(met))) return { id, isNew: false };
        const reopened = {
          ...again,
          UpdateExpression: `SET ${set}, #status = :open REMOVE repairedAt, announcedAt, handedOverAt`,
          ConditionExpression: isRepaired,
          ExpressionAttributeValues: { ...facts, ':open': 'open', ':repaired': 'repaired' },
        };
        if (await succeeded(() => dynamo.update(reopened))) return { id, isNew: true };
      }
      return { id, isNew: false };
    },

    close(id, before, now) {
      const notMetSince = '#lastSeenAt < :before';
      return succeeded(() =>
        dynamo.update({
          TableName: table,
          Key: key(id),
          UpdateExpression: 'SET #status = :repaired, repairedAt = :now',
          ConditionExpression: `${isOpen} AND ${notMetSince}`,
          ExpressionAttributeNames: { '#status': 'status', '#lastSeenAt': 'lastSeenAt' },
          ExpressionAttributeValues: { ':repaired': 'repaired', ':open': 'open', ':now': now, ':before': before },
        }),
      );
    },

    async mark(id, what, now) {
      await succeeded(() =>
        dynamo.update({
          TableName: table,
          Key: key(id),
          UpdateExpression: 'SET #what = :now',
          ConditionExpression: isThere,
          ExpressionAttributeNames: { '#what': what },
          ExpressionAttributeValues: { ':now': now },
        }),
      );
    },

    async open(limit) {
      const found: Finding[] = [];
      const rows = queryAll(dynamo, {
        TableName: table,
        KeyConditionExpression: 'pk = :pk',
        FilterExpression: isOpen,
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: { ':pk': PARTITION, ':open': 'open' },
        ConsistentRead: true,
      });
      for await (const { pk: _pk, sk: _sk, format: _format, ...finding } of rows) {
        if ((finding as { source?: unknown }).source !== 'scrub') continue;
        found.push(finding as unknown as Finding);
        if (found.length >= limit) break;
      }
      return found;
    },
  };
}
