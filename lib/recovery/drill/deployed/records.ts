// What remains of deployed drills in the Recovery table: one row per run, and when the first one was due.

import { isConditionFailed } from '../../../platform/dynamodb/failures.ts';
import type { Dynamo } from '../../../platform/dynamodb/port.ts';
import type { DrillOutcome } from './outcome.ts';

const FORMAT = 1;
const PARTITION = 'drill';
const SINCE = 'since';
const padded = (ms: number): string => String(ms).padStart(16, '0');

export interface DrillRecords {
  store(outcome: DrillOutcome): Promise<void>;
  newest(): Promise<DrillOutcome | undefined>;
  /** When drills were switched on: `now` the first time, then always the same. */
  since(now: number): Promise<number>;
}

export function createDrillRecords({ dynamo, table }: { dynamo: Dynamo; table: string }): DrillRecords {
  return {
    async store(outcome) {
      const Item = {
        pk: PARTITION,
        sk: `run#${padded(outcome.startedAt)}#${outcome.runId}`,
        ...outcome,
        format: FORMAT,
      };
      // Again with the same outcome: a try whose answer was lost.
      await dynamo.put({ TableName: table, Item: { ...Item } });
    },
    async newest() {
      const { Items = [] } = await dynamo.query({
        TableName: table,
        KeyConditionExpression: 'pk = :drill AND begins_with(sk, :run)',
        ExpressionAttributeValues: { ':drill': PARTITION, ':run': 'run#' },
        ScanIndexForward: false,
        Limit: 1,
      });
      const [item] = Items;
      if (item === undefined) return undefined;
      const { pk: _pk, sk: _sk, format: _format, ...outcome } = item;
      return outcome as unknown as DrillOutcome;
    },
    async since(now) {
      const Key = { pk: PARTITION, sk: SINCE };
      try {
        const Item = { ...Key, since: now, format: FORMAT };
        await dynamo.put({ TableName: table, Item, ConditionExpression: 'attribute_not_exists(pk)' });
        return now;
      } catch (error) {
        if (!isConditionFailed(error)) throw error;
        const { Item } = await dynamo.get({ TableName: table, Key, ConsistentRead: true });
        return Number(Item?.since ?? now);
      }
    },
  };
}
