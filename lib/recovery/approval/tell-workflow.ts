// Tells the task that waits for a token what was decided.

import { SendTaskFailureCommand, SendTaskSuccessCommand, type SFNClient } from '@aws-sdk/client-sfn';
import type { Decision } from './approvals.ts';

/** `Error` of the workflow's task when somebody refused. */
export const APPROVAL_REFUSED = 'ApprovalRefused';
/** The workflow does not wait any more: it timed out, was stopped, or has gone on. */
const NOBODY_WAITS = new Set(['TaskTimedOut', 'TaskDoesNotExist', 'InvalidToken']);

/** False: nobody waits for this token any more. */
export async function tellWorkflow(
  sfn: Pick<SFNClient, 'send'>,
  taskToken: string,
  { decision, by }: { decision: Decision; by: string },
): Promise<boolean> {
  const command =
    decision === 'approve'
      ? new SendTaskSuccessCommand({ taskToken, output: JSON.stringify({ approvedBy: by }) })
      : new SendTaskFailureCommand({ taskToken, error: APPROVAL_REFUSED, cause: `refused by ${by}` });
  try {
    await sfn.send(command as SendTaskSuccessCommand);
    return true;
  } catch (error) {
    if (NOBODY_WAITS.has((error as Error).name)) return false;
    throw error;
  }
}
