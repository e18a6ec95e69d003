// A redrive run as it is stored: what was asked, how far it is. Every change is conditional on the status that was seen, so
// that a stop is never overwritten by the progress of a run that did not see it yet.

import { isConditionFailed } from '../../platform/dynamodb/failures.ts';
import { queryAll } from '../../platform/dynamodb/pages.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import type { SelectingRequest } from './request.ts';

const FORMAT = 1;
const PARTITION = 'redrive';

export type RunStatus =
  /** One stream was given back; the rest waits for it. */
  | 'canary'
  | 'running'
  | 'stopped'
  | 'done'
  /** The canary failed again, or an error that a retry does not help. */
  | 'failed';

export interface RedriveRun {
  id: string;
  request: SelectingRequest;
  status: RunStatus;
  /** Dead letters given back or discarded so far. */
  done: number;
  /** Somebody else had changed them meanwhile. */
  changed: number;
  canaryId?: string;
  /** Why it stopped or failed. */
  note?: string;
  startedAt: number;
  updatedAt: number;
}

export interface RedriveRuns {
  create(run: RedriveRun): Promise<void>;
  get(id: string): Promise<RedriveRun | undefined>;
  /** False: the run is not in `from` any more. */
  update(run: RedriveRun, from: readonly RunStatus[]): Promise<boolean>;
  /** Those that are not finished, oldest first. */
  unfinished(): AsyncIterable<RedriveRun>;
}

export const isUnfinished = ({ status }: Pick<RedriveRun, 'status'>): boolean =>
  status === 'canary' || status === 'running';

export function createRedriveRuns({ dynamo, table }: { dynamo: Dynamo; table: string }): RedriveRuns {
  const itemOf = (run: RedriveRun) => ({ pk: PARTITION, sk: run.id, ...run, format: FORMAT });
  const runOf = ({ pk: _pk, sk: _sk, format: _format, ...run }: Record<string, unknown>) =>
    run as unknown as RedriveRun;
  return {
    async create(run) {
      await dynamo.put({ TableName: table, Item: itemOf(run), ConditionExpression: 'attribute_not_exists(pk)' });
    },
    async get(id) {
      const { Item } = await dynamo.get({ TableName: table, Key: { pk: PARTITION, sk: id }, ConsistentRead: true });
      return Item && runOf(Item);
    },
    async update(run, from) {
      const hasStatus = `#status IN (${from.map((_, index) => `:from${index}`).join(', ')})`;
      try {
        await dynamo.put({
          TableName: table,
          Item: itemOf(run),
          ConditionExpression: hasStatus,
          ExpressionAttributeNames: { '#status': 'status' },
          ExpressionAttributeValues: Object.fromEntries(from.map((status, index) => [`:from${index}`, status])),
        });
        return true;
      } catch (error) {
        if (isConditionFailed(error)) return false;
        throw error;
      }
    },
    async *unfinished() {
      for await (const item of queryAll(dynamo, {
        TableName: table,
        KeyConditionExpression: 'pk = :redrive',
        FilterExpression: '#status IN (:canary, :running)',
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: { ':redrive': PARTITION, ':canary': 'canary', ':running': 'running' },
        ConsistentRead: true,
      })) {
        yield runOf(item);
      }
    },
  };
}
