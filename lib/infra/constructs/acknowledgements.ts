// Findings of cdk-nag (AwsSolutions) that we accept, each with its reason. They stand here and nowhere else, so that the
// list can be reviewed as a whole.

import { Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

const acknowledge = (on: IConstruct, ...acknowledgements: { id: string; reason: string }[]): void => {
  Validations.of(on).acknowledge(...acknowledgements);
};

/** X-Ray knows no resources: AWS offers PutTraceSegments and PutTelemetryRecords on "*" only. */
export const acknowledgeTracing = (role: IConstruct): void =>
  acknowledge(role, {
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason: 'X-Ray PutTraceSegments and PutTelemetryRecords support no resource-level permissions.',
  });

/** A bucket without server access logs. */
export const acknowledgeNoAccessLogs = (bucket: IConstruct): void =>
  acknowledge(bucket, {
    id: 'AwsSolutions-S1',
    reason:
      'Only functions of this project read or write it. CloudTrail data events tell who did; access logs would need one more retained bucket.',
  });

/** A queue that is itself the last stop. */
export const acknowledgeNoDeadLetterQueue = (queue: IConstruct): void =>
  acknowledge(queue, {
    id: 'AwsSolutions-SQS3',
    reason: 'It is a dead-letter queue itself; an alarm watches its depth.',
  });

/**
 * A resource that ends in a wildcard although it is as narrow as AWS allows.
 * @param resource the ARN as the policy has it, tokens included
 */
export function acknowledgeResourceWildcard(role: IConstruct, resource: string, reason: string): void {
  const finding = flatten(Stack.of(role).resolve(resource));
  acknowledge(role, { id: `AwsSolutions-IAM5[Resource::${finding}]`, reason });
}

/** An ARN with its references in angle brackets: the form in which cdk-nag names a finding. */
function flatten(value: unknown): string {
  if (typeof value === 'string') return value;
  const { Ref, 'Fn::GetAtt': attribute, 'Fn::Join': join } = value as Record<string, unknown>;
  if (Ref !== undefined) return `<${Ref}>`;
  if (Array.isArray(attribute)) return `<${attribute.join('.')}>`;
  const [delimiter, parts] = join as [string, unknown[]];
  return parts.map(flatten).join(delimiter);
}
