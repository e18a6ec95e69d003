// What was started for which finding: one row per finding, so that a recovery that did not help is not started again.

import { isConditionFailed } from '../../platform/dynamodb/failures.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';

const FORMAT = 1;
const PARTITION = 'recovery-start';

export interface Start {
  hash: string;
  executionArn: string;
  /** Milliseconds since 1970. */
  startedAt: number;
  /** Recoveries in a row for this finding; those that could not begin (somebody else was at work) are not counted. */
  tries: number;
  /** Executions for this finding so far: each has a name of its own. */
  starts: number;
}

export interface Starts {
  /** Consistent. */
  get(hash: string): Promise<Start | undefined>;
  /** False: somebody has written another one since `before` was read. */
  put(start: Start, before: Start | undefined): Promise<boolean>;
}

export function createStarts({ dynamo, table }: { dynamo: Dynamo; table: string }): Starts {
  const key = (hash: string) => ({ pk: PARTITION, sk: hash });
  return {
    async get(hash) {
      const { Item } = await dynamo.get({ TableName: table, Key: key(hash), ConsistentRead: true });
      if (Item === undefined) return undefined;
      const { executionArn, startedAt, tries, starts = tries } = Item as unknown as Start;
      return { hash, executionArn, startedAt, tries, starts };
    },
    async put({ hash, ...start }, before) {
      const notChanged = before === undefined ? 'attribute_not_exists(pk)' : '#startedAt = :before';
      try {
        await dynamo.put({
          TableName: table,
          Item: { ...key(hash), ...start, format: FORMAT },
          ConditionExpression: notChanged,
          ...(before !== undefined && {
            ExpressionAttributeNames: { '#startedAt': 'startedAt' },
            ExpressionAttributeValues: { ':before': before.startedAt },
          }),
        });
        return true;
      } catch (error) {
        if (isConditionFailed(error)) return false;
        throw error;
      }
    },
  };
}
