// SQS queues with the conventions of the house: encrypted, TLS only, and the longest retention that SQS has, because a
// message that expires unseen costs a gap scan to find again.

import { Duration } from 'aws-cdk-lib';
import { MathExpression } from 'aws-cdk-lib/aws-cloudwatch';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { type DeadLetterQueue, type IQueue, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct, IConstruct } from 'constructs';
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
  lastStops.add(queue);
  return queue;
}

const lastStops = new WeakSet<IConstruct>();

/** Every dead-letter queue below `scope` so far. */
export const deadLetterQueuesIn = (scope: IConstruct): Queue[] =>
  scope.node.findAll().filter((construct): construct is Queue => lastStops.has(construct));

/**
 * Messages that lie in a dead-letter queue, or that the intake has just taken out of it: within seconds, so that the depth
 * alone would be 0 whenever it is measured. SQS counts no message as sent that it moves there itself ("Available CloudWatch
 * metrics for Amazon SQS"), but each that is received.
 */
export const metricDeadLetters = (queue: IQueue): MathExpression => {
  const period = Duration.minutes(5);
  return new MathExpression({
    expression: 'MAX([FILL(lying, 0), FILL(taken, 0)])',
    usingMetrics: {
      lying: queue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum', period }),
      taken: queue.metricNumberOfMessagesReceived({ statistic: 'Sum', period }),
    },
    label: 'Messages that were given up',
    period,
  });
};
