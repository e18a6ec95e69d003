// AskApproval: the workflow stands still until somebody answers, for an hour at most. Only an outage of the function is tried
// again: a refusal and silence are answers.

import { Duration } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { IntegrationPattern, JitterType, JsonPath, TaskInput, Timeout } from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';

/** Shorter than the lease of a recovery (90 minutes), which nobody renews meanwhile. */
export const APPROVAL_TIMEOUT = Duration.hours(1);

export function askApprovalTask(scope: Construct, askApproval: IFunction): LambdaInvoke {
  const ask = new LambdaInvoke(scope, 'AskApproval', {
    comment: 'It would overwrite something: tell people what, and wait until somebody approves or refuses.',
    lambdaFunction: askApproval,
    integrationPattern: IntegrationPattern.WAIT_FOR_TASK_TOKEN,
    payload: TaskInput.fromObject({
      token: JsonPath.taskToken,
      timeoutSeconds: APPROVAL_TIMEOUT.toSeconds(),
      'progress.$': '$.progress',
    }),
    taskTimeout: Timeout.duration(APPROVAL_TIMEOUT),
    retryOnServiceExceptions: false,
    resultPath: '$.approval',
  });
  ask.addRetry({
    errors: [
      'Lambda.ServiceException',
      'Lambda.AWSLambdaException',
      'Lambda.SdkClientException',
      'Lambda.TooManyRequestsException',
    ],
    maxAttempts: 4,
    interval: Duration.seconds(2),
    backoffRate: 2,
    jitterStrategy: JitterType.FULL,
  });
  return ask;
}
