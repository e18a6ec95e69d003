// The rehearsal's effects as they are stored: which versions took effect, in which order, nothing deduplicated.

import { queryAll } from '../../../platform/dynamodb/pages.ts';
import type { Dynamo } from '../../../platform/dynamodb/port.ts';
import type { Effect, LedgerEntry } from '../ledger.ts';
import { cureKey, effectsKey, expiresAt, rehearsal } from './rehearsal.ts';

export interface DrillEffects {
  /** In the order of each stream. Consistent. */
  applied(runId: string, entries: readonly LedgerEntry[]): Promise<Effect[]>;
  /** Versions of one stream as they took effect; undefined when none did, or when they are too old. Consistent. */
  orderOf(runId: string, streamId: string): Promise<number[] | undefined>;
  /** From now on nothing of this run fails any more. */
  cure(runId: string, now: number): Promise<void>;
  isCured(runId: string): Promise<boolean>;
}

export function createDrillEffects({ dynamo, table }: { dynamo: Dynamo; table: string }): DrillEffects {
  return {
    async applied(runId, entries) {
      const idOf = new Map(entries.map(({ streamId, version, eventId }) => [`${version} ${streamId}`, eventId]));
      const effects: Effect[] = [];
      const { pk } = cureKey(runId);
      for await (const { sk, order } of queryAll(dynamo, {
        TableName: table,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': pk },
        ConsistentRead: true,
      })) {
        const streamId = String(sk);
        for (const version of (order ?? []) as number[]) {
          const eventId = idOf.get(`${version} ${streamId}`) ?? `unknown-${streamId}-${version}`;
          effects.push({ consumer: rehearsal.name, streamId, version, eventId });
        }
      }
      return effects;
    },
    async orderOf(runId, streamId) {
      const { Item } = await dynamo.get({ TableName: table, Key: effectsKey(runId, streamId), ConsistentRead: true });
      return Item?.order as number[] | undefined;
    },
    async cure(runId, now) {
      const Item = { ...cureKey(runId), curedAt: now, expiresAt: expiresAt(now) };
      await dynamo.put({ TableName: table, Item });
    },
    async isCured(runId) {
      const { Item } = await dynamo.get({ TableName: table, Key: cureKey(runId), ConsistentRead: true });
      return Item !== undefined;
    },
  };
}
