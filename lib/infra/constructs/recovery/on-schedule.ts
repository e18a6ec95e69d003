// A function that runs every so often. What Lambda or EventBridge gives up on lies in its dead-letter queue.

import type { Duration } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { ASYNC_INVOKE } from '../event-function.ts';

export interface OnScheduleProps {
  readonly function: LambdaFunction;
  readonly every: Duration;
  readonly description: string;
  /** What the function is called with. @default EventBridge's own event */
  readonly input?: Readonly<Record<string, unknown>>;
  readonly deadLetterQueue: Queue;
}

export function onSchedule(scope: Construct, id: string, props: OnScheduleProps): Rule {
  const { function: target, every, description, input, deadLetterQueue } = props;
  target.configureAsyncInvoke({ ...ASYNC_INVOKE, onFailure: new SqsDestination(deadLetterQueue) });
  const event = input === undefined ? undefined : RuleTargetInput.fromObject({ ...input });
  return new Rule(scope, id, {
    description,
    schedule: Schedule.rate(every),
    targets: [new LambdaTarget(target, { event, deadLetterQueue })],
  });
}
