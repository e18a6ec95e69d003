// How stacks share facts: SSM parameters under one prefix per deployment, never CloudFormation exports, so that a stack
// can be changed, replaced or removed without asking the stacks that read from it.

import { Stack } from 'aws-cdk-lib';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import type { Construct } from 'constructs';
import { InvalidInputError } from '../../model/errors.ts';

/** Prefix of a deployment that was given none. */
export const DEFAULT_PARAMETER_PREFIX = '/event-recovery';

/** Everything that is shared. The parameter's name is `<prefix>/<key>`. */
export type SharedKey =
  | 'events-table-name'
  | 'events-table-stream-arn'
  | 'log-table-name'
  | 'checkpoints-table-name'
  | 'dead-letters-table-name'
  | 'idempotency-table-name'
  | 'recovery-table-name'
  | 'snapshots-table-name'
  | 'recovery-state-machine-arn'
  | 'archive-bucket-name'
  | 'archive-events-function-arn'
  | 'relay-failures-bucket-name'
  | 'decide-approval-function-arn'
  | 'event-bus-name'
  | 'alerts-topic-arn'
  | 'intake-dead-letters-function-arn'
  | 'intake-dead-letters-role-arn'
  | 'redrive-dead-letters-function-arn'
  | 'register-consumer-function-arn'
  | 'relay-backfill-dead-letter-queue-arn'
  | 'relay-commits-function-arn'
  | 'relay-mapping-arn'
  | 'relay-repair-dead-letter-queue-arn'
  | 'restore-commits-function-arn'
  | 'replay-events-function-arn'
  | 'scan-gaps-function-arn'
  | 'scrub-events-function-arn'
  | 'verify-consistency-function-arn'
  | 'verify-consistency-role-arn';

// SSM: letters, digits and .-_ in up to 15 levels, not beginning with "aws" or "ssm".
const PREFIX = /^(\/(?!aws|ssm)[a-zA-Z0-9_.-]{1,100}){1,5}$/;

/** @throws InvalidInputError `INVALID_PARAMETER_PREFIX` */
export function checkParameterPrefix(prefix: string): string {
  if (PREFIX.test(prefix)) return prefix;
  throw new InvalidInputError('INVALID_PARAMETER_PREFIX', {
    what: 'parameterPrefix',
    got: prefix,
    allowed: '1 to 5 levels such as "/event-recovery" or "/shop/staging", not beginning with "aws" or "ssm"',
    remedy: 'pass a prefix that is unique to the deployment in its account and region',
  });
}

export function shareValues(scope: Construct, prefix: string, values: Partial<Record<SharedKey, string>>): void {
  checkParameterPrefix(prefix);
  for (const [key, stringValue] of Object.entries(values)) {
    new StringParameter(scope, `Shared-${key}`, {
      parameterName: `${prefix}/${key}`,
      stringValue,
      description: 'Shared between the stacks of one event recovery deployment',
    });
  }
}

/** A token that CloudFormation resolves when the stack of `scope` is deployed. */
export const sharedValue = (scope: Construct, prefix: string, key: SharedKey): string =>
  StringParameter.valueForStringParameter(Stack.of(scope), `${checkParameterPrefix(prefix)}/${key}`);
