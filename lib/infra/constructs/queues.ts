// SQS queues with the conventions of the house: encrypted, TLS only, and the longest retention that SQS has, because a
// message that expires unseen costs a gap scan to find again.

import { Duration } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { type DeadLetterQueue, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { acknowledgeNoDeadLetterQueue } from './acknowledgements.ts';

/** SQS: MessageRetentionPeriod is at most 14 days. A dead-letter queue counts from the first enqueue. */
export const QUEUE_RETENTION = Duration.days(14);
/** Until then SQS can still hand a message back to its consumer, so until then an effect must be remembered. */
export const REDRIVE_HORIZON = QUEUE_RETENTION;

interface QueueOptions {
  readonly encryptionKey?: IKey;
  readonly visibilityTimeout?: Duration;
}

const settings = ({ encryptionKey, visibilityTimeout }: QueueOptions) => ({
  encryption: encryptionKey ? QueueEncryption.KMS : QueueEncryption.SQS_MANAGED,
  encryptionMasterKey: encryptionKey,
  enforceSSL: true,
  retentionPeriod: QUEUE_RETENTION,
  visibilityTimeout,
});

export const createQueue = (
  scope: Construct,
  id: string,
  options: QueueOptions & { readonly deadLetterQueue: DeadLetterQueue },
): Queue => new Queue(scope, id, { ...settings(options), deadLetterQueue: options.deadLetterQueue });

/** The last stop of messages that nobody could handle. */
export function createDeadLetterQueue(scope: Construct, id: string, options: QueueOptions = {}): Queue {
  const queue = new Queue(scope, id, settings(options));
  acknowledgeNoDeadLetterQueue(queue);
  return queue;
}
