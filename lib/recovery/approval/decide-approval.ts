// Somebody's answer to a recovery that asks: recorded with its audit entry in one transaction, then told to the workflow. The
// same answer again is told again, so that a crash between the two is repaired by asking again; another answer is refused.

import type { SFNClient } from '@aws-sdk/client-sfn';
import * as z from 'zod/mini';
import { EventRecoveryError } from '../../model/errors.ts';
import { cancellation } from '../../platform/dynamodb/failures.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import type { Audit } from '../audit/audit.ts';
import { checkInput } from '../input/check.ts';
import type { Approval, Approvals, Decision } from './approvals.ts';
import { tellWorkflow } from './tell-workflow.ts';

const text = (max: number) => z.string().check(z.minLength(1), z.maxLength(max));

const REQUEST = z.strictObject({
  decision: z.enum(['approve', 'refuse']),
  /** Name of the recovery. */
  id: text(80),
  /** What is answered: the id in the message's command. @default whatever the recovery asks now */
  question: z.optional(text(1_024)),
  requestedBy: text(256),
  reason: z.prefault(text(1_000), 'not given'),
});

export interface DecideDeps {
  dynamo: Pick<Dynamo, 'transactWrite'>;
  approvals: Pick<Approvals, 'get' | 'decideWrite'>;
  audit: Pick<Audit, 'recordWrite'>;
  sfn: Pick<SFNClient, 'send'>;
  now(): number;
}

export interface Decided {
  id: string;
  question: string;
  decision: Decision;
  decidedBy: string;
  what: string[];
}

/**
 * @throws InvalidInputError `INVALID_INPUT`; EventRecoveryError `APPROVAL_UNKNOWN` (nobody asks), `APPROVAL_EXPIRED` (nobody waits
 * any more), `APPROVAL_DECIDED` (otherwise, before),
 * `APPROVAL_OTHER_QUESTION` (the recovery asks about something else by now)
 * @example await decideApproval(deps, { decision: 'approve', id: 'recovery-1', requestedBy: 'anna' }, 'request-1');
 */
export async function decideApproval(deps: DecideDeps, raw: unknown, requestId: string): Promise<Decided> {
  const { decision, id, question, requestedBy, reason } = checkInput(REQUEST, raw, 'approval');
  const approval = await deps.approvals.get(id);
  if (approval === undefined) {
    throw refused(
      'APPROVAL_UNKNOWN',
      id,
      `recovery "${id}" asks for no approval; remedy: take the name from its message`,
    );
  }
  if (question !== undefined && question !== approval.question) throw otherQuestion(approval, question);
  const now = deps.now();
  if (approval.decision !== undefined && approval.decision !== decision) throw decidedBefore(approval);
  if (now >= approval.until) throw expired(approval);
  const entry = {
    action: decision,
    requestedBy,
    reason,
    requestId,
    input: { id, question: approval.question },
    outcome: { what: approval.what, repeated: approval.decision !== undefined },
  };
  try {
    await deps.dynamo.transactWrite({
      TransactItems: [deps.approvals.decideWrite(approval, decision, requestedBy, now), deps.audit.recordWrite(entry)],
    });
  } catch (error) {
    if (cancellation(error)?.kind !== 'refused') throw error;
    throw decidedBefore((await deps.approvals.get(id)) ?? approval);
  }
  const decidedBy = approval.decidedBy ?? requestedBy;
  const isTold = await tellWorkflow(deps.sfn, approval.token, { decision, by: decidedBy });
  // Told before, and the workflow has gone on: that is what was wanted.
  if (!isTold && approval.decision !== decision) throw expired(approval);
  return { id, question: approval.question, decision, decidedBy, what: approval.what };
}

const refused = (code: string, id: string, message: string): EventRecoveryError =>
  new EventRecoveryError(code, message, { facts: { id } });

const expired = ({ id, until }: Approval): EventRecoveryError =>
  refused(
    'APPROVAL_EXPIRED',
    id,
    `recovery "${id}" waits no longer (it did until ${new Date(until).toISOString()}); remedy: start another one`,
  );

const otherQuestion = ({ id, question, what }: Approval, answered: string): EventRecoveryError =>
  refused(
    'APPROVAL_OTHER_QUESTION',
    id,
    `recovery "${id}" asks about ${question} (${what.join('; ')}), not about ${answered}; remedy: take the command of its last message`,
  );

const decidedBefore = ({ id, decision, decidedBy }: Approval): EventRecoveryError =>
  refused(
    'APPROVAL_DECIDED',
    id,
    `recovery "${id}": ${decidedBy ?? 'somebody'} has decided before: ${decision ?? 'it was asked again'}; remedy: start another one`,
  );
