// Executions of the recovery's state machine, as Step Functions knows them.

import { DescribeExecutionCommand, type SFNClient } from '@aws-sdk/client-sfn';

/** How an execution stands. `FORGOTTEN`: Step Functions does not know it. */
export interface ExecutionEnd {
  status: string;
  /** Name of the Fail state. */
  error?: string;
  /** When it ended, milliseconds since 1970. */
  endedAt?: number;
}

/** https://docs.aws.amazon.com/step-functions/latest/dg/auth-and-access-control-sfn.html: how the ARNs are made. */
export const arnOf = (stateMachineArn: string, name: string): string =>
  `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;

export const nameOf = (executionArn: string): string => executionArn.slice(executionArn.lastIndexOf(':') + 1);

export async function endOf(sfn: Pick<SFNClient, 'send'>, executionArn: string): Promise<ExecutionEnd> {
  try {
    const { status, error, stopDate } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    return { status: String(status), error, endedAt: stopDate?.getTime() };
  } catch (error) {
    // Step Functions forgets executions after 90 days, and with a deleted state machine at once.
    if ((error as Error).name !== 'ExecutionDoesNotExist') throw error;
    return { status: 'FORGOTTEN' };
  }
}
