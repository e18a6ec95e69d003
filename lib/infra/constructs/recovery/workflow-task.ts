// A task of the recovery's workflow: one function, its answer alone, retried with jitter. And the verification's answer as
// states carry it: numbers and the first violations, because a state has at most 256 KiB.

import { Duration } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { JitterType, type Parallel, TaskInput } from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';

export interface WorkflowTaskProps {
  readonly comment: string;
  /** JSON with paths, or the path of the whole payload. */
  readonly payload: object | string;
  /** @default the answer replaces the whole document (the local interpreter takes an explicit `$` for a field's name) */
  readonly resultPath?: string;
  readonly resultSelector?: Record<string, string>;
  /** Errors that are the function's answer: not tried again. */
  readonly endsBy?: readonly string[];
}

/** Violations that travel through the workflow, about 400 bytes each. The function's log has more. */
const VIOLATIONS_CARRIED = 40;

/** The answer is taken as it is: a selector that misses a field ends the execution without a name. */
export const VERDICT = { listed: VIOLATIONS_CARRIED } as const;

/** Five tries in about half a minute: a throttled or restarted function comes back in it. */
export const withRetries = <State extends LambdaInvoke | Parallel>(state: State, { maxAttempts = 4 } = {}): State => {
  state.addRetry({
    errors: ['States.ALL'],
    maxAttempts,
    interval: Duration.seconds(2),
    backoffRate: 2,
    maxDelay: Duration.seconds(30),
    jitterStrategy: JitterType.FULL,
  });
  return state;
};

export function workflowTask(scope: Construct, id: string, lambdaFunction: IFunction, props: WorkflowTaskProps) {
  const { payload, endsBy, ...rest } = props;
  const task = new LambdaInvoke(scope, id, {
    ...rest,
    lambdaFunction,
    ...(typeof payload === 'string'
      ? { inputPath: payload }
      : { payload: TaskInput.fromObject(payload as Record<string, unknown>) }),
    payloadResponseOnly: true,
    retryOnServiceExceptions: false,
  });
  if (endsBy !== undefined) task.addRetry({ errors: [...endsBy], maxAttempts: 0, jitterStrategy: JitterType.FULL });
  return withRetries(task);
}
