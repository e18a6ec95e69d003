// Leases of the upper floor: one scan, one scrub, one recovery per consumer at a time. Same rule as for checkpoints:
// expiry lets somebody else in, the fencing token keeps the late one out. Every write under a lease should carry `token`.

import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { queryAll } from '../../platform/dynamodb/pages.ts';
import type { Dynamo, Write } from '../../platform/dynamodb/port.ts';

/** Expiry tolerates the error of the server clock (1 s resolution) twice. */
export const LEASE_MARGIN_MS = 2_000;
const FORMAT = 1;

export interface LeaseHandle {
  name: string;
  owner: string;
  token: number;
}

export type LeaseResult =
  | ({ kind: 'acquired' } & LeaseHandle)
  /** `owner` and `until` (milliseconds since 1970, server clock) of the holder. */
  | { kind: 'held'; owner: string; until: number };

export interface Leases {
  /** Take a free or expired lease. `now` by the server clock. The same owner may take its own lease again. */
  acquire(name: string, owner: string, now: number, durationMs: number): Promise<LeaseResult>;
  /** False: somebody took over, stop at once. */
  renew(lease: LeaseHandle, now: number, durationMs: number): Promise<boolean>;
  /** Giving back a lease that was lost does nothing. */
  release(lease: LeaseHandle): Promise<void>;
  /** For a transaction that must only commit while the lease is ours. */
  heldCheck(lease: LeaseHandle): Write;
  /** Leases that somebody holds, by the beginning of their names. Consistent. */
  held(prefix: string, now: number): Promise<LeaseHandle[]>;
}

/**
 * @example
 * const lease = await leases.acquire('scan', ids.next(), clock.now(), 60_000);
 * if (lease.kind === 'held') return { kind: 'another-scan-runs', until: lease.until };
 */
export function createLeases({ dynamo, table }: { dynamo: Dynamo; table: string }): Leases {
  const key = (name: string) => ({ pk: 'lease', sk: name });
  const held = {
    condition: '#owner = :owner AND #token = :token',
    names: { '#owner': 'owner', '#token': 'token' },
    values: (lease: LeaseHandle) => ({ ':owner': lease.owner, ':token': lease.token }),
  };

  return {
    async acquire(name, owner, now, durationMs) {
      const neverTaken = 'attribute_not_exists(pk)';
      const givenBack = 'attribute_not_exists(#owner)';
      const expired = '#until < :expiredBefore';
      const ours = '#owner = :owner';
      try {
        const { Attributes } = await dynamo.update({
          TableName: table,
          Key: key(name),
          UpdateExpression:
            'SET #owner = :owner, #until = :until, #token = if_not_exists(#token, :zero) + :one, #format = :format',
          ConditionExpression: [neverTaken, givenBack, expired, ours].join(' OR '),
          ExpressionAttributeNames: { '#owner': 'owner', '#until': 'until', '#token': 'token', '#format': 'format' },
          ExpressionAttributeValues: {
            ':owner': owner,
            ':until': now + durationMs,
            ':expiredBefore': now - LEASE_MARGIN_MS,
            ':zero': 0,
            ':one': 1,
            ':format': FORMAT,
          },
          ReturnValues: 'ALL_NEW',
        });
        return { kind: 'acquired', name, owner, token: Attributes?.token as number };
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
        return { kind: 'held', ...(await holder(name)) };
      }
    },

    async renew(lease, now, durationMs) {
      return succeeded(
        dynamo.update({
          TableName: table,
          Key: key(lease.name),
          UpdateExpression: 'SET #until = :until',
          ConditionExpression: held.condition,
          ExpressionAttributeNames: { ...held.names, '#until': 'until' },
          ExpressionAttributeValues: { ...held.values(lease), ':until': now + durationMs },
        }),
      );
    },

    async release(lease) {
      await succeeded(
        dynamo.update({
          TableName: table,
          Key: key(lease.name),
          UpdateExpression: 'REMOVE #owner, #until',
          ConditionExpression: held.condition,
          ExpressionAttributeNames: { ...held.names, '#until': 'until' },
          ExpressionAttributeValues: held.values(lease),
        }),
      );
    },

    async held(prefix, now) {
      const found: LeaseHandle[] = [];
      const leases = queryAll(dynamo, {
        TableName: table,
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
        ExpressionAttributeValues: { ':pk': 'lease', ':prefix': prefix },
        ConsistentRead: true,
      });
      for await (const { sk, owner, until, token } of leases) {
        if (owner === undefined || Number(until) < now - LEASE_MARGIN_MS) continue;
        found.push({ name: String(sk), owner: String(owner), token: Number(token) });
      }
      return found;
    },

    heldCheck: (lease) => ({
      ConditionCheck: {
        TableName: table,
        Key: key(lease.name),
        ConditionExpression: held.condition,
        ExpressionAttributeNames: held.names,
        ExpressionAttributeValues: held.values(lease),
      },
    }),
  };

  async function holder(name: string): Promise<{ owner: string; until: number }> {
    const { Item } = await dynamo.get({ TableName: table, Key: key(name), ConsistentRead: true });
    return { owner: (Item?.owner as string | undefined) ?? 'unknown', until: (Item?.until as number | undefined) ?? 0 };
  }
}

async function succeeded(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}
