// Who may wake consumers: queues carry the deployment as a tag, and functions that repair may send to queues with their own
// deployment's tag. So consumers of any stack are reached and no other queue of the account is.
// SQS supports permissions by tag (ABAC) in all commercial regions but Hyderabad, Melbourne, Spain and Zurich (SQS developer
// guide, "Attribute-based access control for Amazon SQS"): there, grant by `EventConsumer.grantWakeUp`.

import { ArnFormat, Lazy, Stack, Tags } from 'aws-cdk-lib';
import { type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { IConstruct } from 'constructs';
import { acknowledgeResourceWildcard } from '../acknowledgements.ts';
import type { IEventStore } from '../event-store-base.ts';

/** Key of the tag; its value is the deployment. */
export const WAKE_UP_TAG = 'event-recovery';

export function tagForWakeUps(queue: IQueue, eventStore: IEventStore): void {
  // Late: a store learns its deployment's name when it is shared.
  Tags.of(queue).add(WAKE_UP_TAG, Lazy.string({ produce: () => eventStore.deployment }));
}

/** Send wake-ups to every consumer of the deployment, and see how many messages wait there. */
export function grantWakeUps(function_: IConstruct & { readonly role?: IRole }, eventStore: IEventStore): void {
  const queues = Stack.of(function_).formatArn({
    service: 'sqs',
    resource: '*',
    arnFormat: ArnFormat.NO_RESOURCE_NAME,
  });
  function_.role?.addToPrincipalPolicy(
    new PolicyStatement({
      actions: ['sqs:SendMessage', 'sqs:GetQueueAttributes'],
      resources: [queues],
      conditions: { StringEquals: { [`aws:ResourceTag/${WAKE_UP_TAG}`]: eventStore.deployment } },
    }),
  );
  if (!function_.role) return;
  acknowledgeResourceWildcard(
    function_.role,
    queues,
    'Consumers are in stacks of their own; the tag says which are ours.',
  );
  eventStore.encryptionKey?.grantEncryptDecrypt(function_.role);
}
