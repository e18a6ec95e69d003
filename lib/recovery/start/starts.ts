// What was started for which finding, or waits to be: one row per finding, so that a recovery that did not help is not started
// again, and one that met another is.

import { isConditionFailed } from '../../platform/dynamodb/failures.ts';
import { queryAll } from '../../platform/dynamodb/pages.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';

const FORMAT = 1;
const PARTITION = 'recovery-start';

export interface Start {
  hash: string;
  /** Absent: all. */
  consumer?: string;
  /** Of the first execution for this evidence; later ones get a number behind it. */
  name: string;
  /** JSON: what the execution was, or will be, started with. */
  input: string;
  /** Absent: nothing was started yet. */
  executionArn?: string;
  /** Milliseconds since 1970. Of one that waits: since when. */
  startedAt: number;
  /** Recoveries in a row for this finding; those that could not begin (somebody else was at work) are not counted. */
  tries: number;
  /** Executions for this finding so far: each has a name of its own. */
  starts: number;
  /** `waits`: another recovery is at work on its consumers. `begun`: it got their leases; how it ended is for the next sign. */
  state: 'started' | 'waits' | 'begun';
}

export interface Starts {
  /** Consistent. */
  get(hash: string): Promise<Start | undefined>;
  /** Consistent, of every finding. */
  list(): Promise<Start[]>;
  /** False: somebody has written another one since `before` was read. */
  put(start: Start, before: Start | undefined): Promise<boolean>;
}

export function createStarts({ dynamo, table }: { dynamo: Dynamo; table: string }): Starts {
  const key = (hash: string) => ({ pk: PARTITION, sk: hash });
  return {
    async get(hash) {
      const { Item } = await dynamo.get({ TableName: table, Key: key(hash), ConsistentRead: true });
      return Item === undefined ? undefined : startOf(Item);
    },
    async list() {
      const starts: Start[] = [];
      const rows = queryAll(dynamo, {
        TableName: table,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': PARTITION },
        ConsistentRead: true,
      });
      for await (const row of rows) starts.push(startOf(row));
      return starts;
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

/** Rows of before a recovery could wait have no name and no input: they are not started again but by a sign. */
function startOf({ sk, pk: _pk, format: _format, ...row }: Record<string, unknown>): Start {
  const { tries, state = 'begun', name = '', input = '{}' } = row as Partial<Start>;
  return { starts: tries, ...row, name, input, state, hash: String(sk) } as Start;
}
