// Approvals that recoveries wait for: one row per recovery with its present question (the plan that it would apply) and the task
// token that lets it go on. The token is a secret between Step Functions and this table: whoever decides names the recovery.

import { isConditionFailed } from '../../platform/dynamodb/failures.ts';
import type { Dynamo, Write } from '../../platform/dynamodb/port.ts';

const FORMAT = 1;
const PARTITION = 'approval';

export type Decision = 'approve' | 'refuse';

export interface Approval {
  /** Name of the recovery. */
  id: string;
  token: string;
  /** What is asked about: the id of the plan. An answer to one question is none to the next. */
  question: string;
  /** What would be overwritten, one sentence each. */
  what: string[];
  requestedBy: string;
  askedAt: number;
  /** Milliseconds since 1970: nobody waits longer. */
  until: number;
  decision?: Decision;
  decidedBy?: string;
  decidedAt?: number;
}

export interface Approvals {
  /** Asks, or asks the same again with a new token (the workflow tried its task again). False: this question was decided before. */
  ask(approval: Approval): Promise<boolean>;
  /** Consistent. */
  get(id: string): Promise<Approval | undefined>;
  /** For a transaction: refused when somebody has decided otherwise, or it was asked again meanwhile. */
  decideWrite(approval: Approval, decision: Decision, by: string, now: number): Write;
}

export function createApprovals({ dynamo, table }: { dynamo: Dynamo; table: string }): Approvals {
  const key = (id: string) => ({ pk: PARTITION, sk: id });
  return {
    async ask(approval) {
      const isUndecided = 'attribute_not_exists(#decision)';
      const isAnotherQuestion = '#question <> :question';
      try {
        await dynamo.put({
          TableName: table,
          Item: { ...key(approval.id), ...approval, format: FORMAT },
          ConditionExpression: [isUndecided, isAnotherQuestion].join(' OR '),
          ExpressionAttributeNames: { '#decision': 'decision', '#question': 'question' },
          ExpressionAttributeValues: { ':question': approval.question },
        });
        return true;
      } catch (error) {
        if (isConditionFailed(error)) return false;
        throw error;
      }
    },
    async get(id) {
      const { Item } = await dynamo.get({ TableName: table, Key: key(id), ConsistentRead: true });
      if (Item === undefined) return undefined;
      const { pk: _pk, sk: _sk, format: _format, ...approval } = Item;
      return approval as unknown as Approval;
    },
    decideWrite({ id, token }, decision, by, now) {
      const isTheSameTask = '#token = :token';
      const notDecidedOtherwise = '(attribute_not_exists(#decision) OR #decision = :decision)';
      return {
        Update: {
          TableName: table,
          Key: key(id),
          UpdateExpression:
            'SET #decision = :decision, #decidedBy = if_not_exists(#decidedBy, :by), #decidedAt = if_not_exists(#decidedAt, :now)',
          ConditionExpression: `${isTheSameTask} AND ${notDecidedOtherwise}`,
          ExpressionAttributeNames: {
            '#token': 'token',
            '#decision': 'decision',
            '#decidedBy': 'decidedBy',
            '#decidedAt': 'decidedAt',
          },
          ExpressionAttributeValues: { ':token': token, ':decision': decision, ':by': by, ':now': now },
        },
      };
    },
  };
}
