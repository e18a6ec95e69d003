// How many messages wait for a consumer, by SQS's own numbers: visible, in flight, delayed. They are approximate and lag by
// up to a minute, which is why a busy queue only explains lag up to a bound.

import { GetQueueAttributesCommand, type GetQueueAttributesResult } from '@aws-sdk/client-sqs';
import type { Logger } from '../../platform/logging.ts';
import type { QueueSigns } from './port.ts';

/** The part of an SQS client that is needed here. */
export interface QueueReader {
  send(command: GetQueueAttributesCommand): Promise<GetQueueAttributesResult>;
}

const NUMBERS = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesNotVisible',
  'ApproximateNumberOfMessagesDelayed',
] as const;

/** A queue that cannot be asked is no excuse for a gap: `undefined`, and a line in the log. */
export function createQueueSigns({ sqs, logger }: { sqs: QueueReader; logger: Logger }): QueueSigns {
  return {
    async messages(queueUrl) {
      try {
        const { Attributes = {} } = await sqs.send(
          new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...NUMBERS] }),
        );
        const numbers = NUMBERS.map((name) => Number(Attributes[name]));
        return numbers.some(Number.isNaN) ? undefined : numbers.reduce((sum, number) => sum + number, 0);
      } catch (error) {
        logger.warn('the queue could not be asked for its messages', { queueUrl, error });
        return undefined;
      }
    },
  };
}
