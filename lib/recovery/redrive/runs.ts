// A redrive run as it is stored: what was asked, how far it is. Its status changes only from the status that was seen, so that
// a stop is never overwritten by a worker that did not see it yet; counters are added, whatever the status. Runs that are not
// finished have a second row, so that the schedule reads nothing else.

import { cancellation } from '../../platform/dynamodb/failures.ts';
import { queryAll } from '../../platform/dynamodb/pages.ts';
import type { Dynamo, Write } from '../../platform/dynamodb/port.ts';
import { appliedWrite } from '../plan/plans.ts';
import type { SelectingRequest } from './request.ts';

const FORMAT = 1;
const PARTITION = 'redrive';
const OPEN_PARTITION = 'redrive-open';

export type RunStatus =
  /** One stream was given back; the rest waits for it. */
  | 'canary'
  | 'running'
  | 'stopped'
  | 'done'
  /** The canary failed again, or an error that a retry does not help. */
  | 'failed';

export interface RedriveRun {
  /** The plan's: a plan is applied once. */
  id: string;
  request: SelectingRequest;
  status: RunStatus;
  /** Dead letters given back or discarded so far. */
  done: number;
  /** Somebody else had changed them meanwhile. */
  changed: number;
  /** With status `running`: it succeeded. */
  canaryId?: string;
  /** Why it stopped or failed. */
  note?: string;
  /** The newest failure among its dead letters: what failed later was not planned. Absent in a run that older code began. */
  failedUntil?: number;
  startedAt: number;
  updatedAt: number;
}

export interface Transition {
  status: RunStatus;
  note?: string;
  /** `null` forgets it. */
  canaryId?: string | null;
}

export interface RedriveRuns {
  /** In one transaction with its plan's status and `alongside`. False: the plan was applied before. */
  create(run: RedriveRun, alongside: readonly Write[]): Promise<boolean>;
  /** Consistent. */
  get(id: string): Promise<RedriveRun | undefined>;
  /** False: the run is not in `from` (any more); nothing was written, not `alongside` either. */
  transition(
    id: string,
    from: readonly RunStatus[],
    to: Transition,
    now: number,
    alongside?: readonly Write[],
  ): Promise<boolean>;
  /** Adds to the counters. */
  progress(id: string, added: { done: number; changed: number }, now: number): Promise<void>;
  /** Those that are not finished, in no order. */
  unfinished(): AsyncIterable<RedriveRun>;
}

export const UNFINISHED: readonly RunStatus[] = ['canary', 'running'];
export const isUnfinished = ({ status }: Pick<RedriveRun, 'status'>): boolean => UNFINISHED.includes(status);

export function createRedriveRuns({ dynamo, table }: { dynamo: Dynamo; table: string }): RedriveRuns {
  const key = (id: string) => ({ pk: PARTITION, sk: id });
  const openRow = (id: string, status: RunStatus): Write =>
    isUnfinished({ status })
      ? { Put: { TableName: table, Item: { pk: OPEN_PARTITION, sk: id, format: FORMAT } } }
      : { Delete: { TableName: table, Key: { pk: OPEN_PARTITION, sk: id } } };

  async function get(id: string): Promise<RedriveRun | undefined> {
    const { Item } = await dynamo.get({ TableName: table, Key: key(id), ConsistentRead: true });
    if (Item === undefined) return undefined;
    const { pk: _pk, sk: _sk, format: _format, ...run } = Item;
    return run as unknown as RedriveRun;
  }

  /** False when a condition was refused: nothing was written. */
  async function transacted(TransactItems: Write[]): Promise<boolean> {
    try {
      await dynamo.transactWrite({ TransactItems });
      return true;
    } catch (error) {
      if (cancellation(error)?.kind === 'refused') return false;
      throw error;
    }
  }

  return {
    get,
    async create(run, alongside) {
      const neverBefore = 'attribute_not_exists(pk)';
      const item = { ...key(run.id), ...run, format: FORMAT };
      const put: Write = { Put: { TableName: table, Item: item, ConditionExpression: neverBefore } };
      return transacted([put, openRow(run.id, run.status), appliedWrite(table, run.id), ...alongside]);
    },
    async transition(id, from, { status, note, canaryId }, now, alongside = []) {
      const hasStatus = `#status IN (${from.map((_, index) => `:from${index}`).join(', ')})`;
      const sets = ['#status = :status', '#updatedAt = :now'];
      if (note !== undefined) sets.push('#note = :note');
      if (typeof canaryId === 'string') sets.push('#canaryId = :canaryId');
      const update: Write = {
        Update: {
          TableName: table,
          Key: key(id),
          UpdateExpression: `SET ${sets.join(', ')}${canaryId === null ? ' REMOVE #canaryId' : ''}`,
          ConditionExpression: hasStatus,
          ExpressionAttributeNames: {
            '#status': 'status',
            '#updatedAt': 'updatedAt',
            ...(note !== undefined && { '#note': 'note' }),
            ...(canaryId !== undefined && { '#canaryId': 'canaryId' }),
          },
          ExpressionAttributeValues: {
            ':status': status,
            ':now': now,
            ...(note !== undefined && { ':note': note }),
            ...(typeof canaryId === 'string' && { ':canaryId': canaryId }),
            ...Object.fromEntries(from.map((each, index) => [`:from${index}`, each])),
          },
        },
      };
      return transacted([update, openRow(id, status), ...alongside]);
    },
    async progress(id, { done, changed }, now) {
      await dynamo.update({
        TableName: table,
        Key: key(id),
        UpdateExpression: 'SET #updatedAt = :now ADD #done :done, #changed :changed',
        ConditionExpression: 'attribute_exists(pk)',
        ExpressionAttributeNames: { '#updatedAt': 'updatedAt', '#done': 'done', '#changed': 'changed' },
        ExpressionAttributeValues: { ':now': now, ':done': done, ':changed': changed },
      });
    },
    async *unfinished() {
      for await (const { sk } of queryAll(dynamo, {
        TableName: table,
        KeyConditionExpression: 'pk = :open',
        ExpressionAttributeValues: { ':open': OPEN_PARTITION },
        ConsistentRead: true,
      })) {
        const run = await get(String(sk));
        if (run !== undefined && isUnfinished(run)) yield run;
      }
    },
  };
}
