// SQS and EventBridge as one simulated process has them: the commands of the AWS SDK on their way through the fault
// injector to the simulated queue and bus.

import type { PutEventsCommand, PutEventsCommandOutput } from '@aws-sdk/client-eventbridge';
import type {
  GetQueueAttributesCommand,
  GetQueueAttributesResult,
  SendMessageBatchCommand,
  SendMessageBatchResult,
} from '@aws-sdk/client-sqs';
import type { SimulatedProcess } from '../kernel/process.ts';
import type { EventBus } from './event-bus.ts';
import type { Faults } from './faults.ts';
import type { CallErrors, CallPort } from './port-calls.ts';
import type { Queue } from './queue.ts';
import { connectionError, networkError, throttlingException } from './service-errors.ts';

const ERRORS: CallErrors = {
  throttle: throttlingException,
  'error-before': connectionError,
  'lost-response': networkError,
  'delayed-request': networkError,
};

export interface ClientOptions {
  process: SimulatedProcess;
  call: CallPort;
  faults: Faults;
}

export interface EventBridgeSender {
  send(command: PutEventsCommand): Promise<PutEventsCommandOutput>;
}

export const createEventBridgeSender = ({ process, call }: ClientOptions, bus: EventBus): EventBridgeSender => ({
  send: (command) =>
    call({
      process,
      site: 'putEvents',
      errors: ERRORS,
      apply: async () => ({ $metadata: {}, ...bus.putEvents(command.input.Entries ?? []) }),
    }),
});

export interface QueueSender {
  send(command: SendMessageBatchCommand): Promise<SendMessageBatchResult>;
}

/** `queues` by URL. */
export const createQueueSender = (
  { process, call, faults }: ClientOptions,
  queues: ReadonlyMap<string, Queue>,
): QueueSender => ({
  send: ({ input }) =>
    call({
      process,
      site: 'sendMessageBatch',
      errors: ERRORS,
      apply: async () => {
        const queue = queues.get(input.QueueUrl ?? '');
        if (queue === undefined)
          throw Object.assign(new Error(`no queue ${input.QueueUrl}`), { name: 'QueueDoesNotExist' });
        const Successful: NonNullable<SendMessageBatchResult['Successful']> = [];
        const Failed: NonNullable<SendMessageBatchResult['Failed']> = [];
        for (const { Id, MessageBody = '', DelaySeconds = 0 } of input.Entries ?? []) {
          if (faults.strikes('partial-send', queue.name)) {
            Failed.push({ Id, Code: 'InternalError', Message: 'refused by the simulation', SenderFault: false });
          } else {
            const MessageId = queue.send(MessageBody, DelaySeconds * 1_000);
            Successful.push({ Id, MessageId, MD5OfMessageBody: '' });
          }
        }
        return { Successful, Failed };
      },
    }),
});

/** SQS's own numbers about a queue. */
export const createQueueReader = ({ process, call }: ClientOptions, queues: ReadonlyMap<string, Queue>) => ({
  send: ({ input }: GetQueueAttributesCommand): Promise<GetQueueAttributesResult> =>
    call({
      process,
      site: 'getQueueAttributes',
      errors: ERRORS,
      apply: async () => ({
        Attributes: {
          ApproximateNumberOfMessages: String(queues.get(input.QueueUrl ?? '')?.size ?? 0),
          ApproximateNumberOfMessagesNotVisible: '0',
          ApproximateNumberOfMessagesDelayed: '0',
        },
      }),
    }),
});

/** A call to a service that the simulation has no model of: it takes time and may fail, and `apply` says what it does. */
export const createOtherCall =
  ({ process, call }: ClientOptions) =>
  <T>(site: string, apply: () => T): Promise<T> =>
    call({ process, site, errors: ERRORS, apply: async () => apply() });
