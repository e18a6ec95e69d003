// The event source mapping between an SQS queue and a Lambda function, with AWS's rules: `batchItemFailures` names what
// stays; null, `{}` and an empty list mean full success; an unknown, empty or missing identifier means that the whole
// batch failed, like an error; what failed stays invisible until its visibility timeout ends.
// Source: AWS Lambda developer guide, "Handling errors for an SQS event source in Lambda".

import { type BatchResult, batchResult } from '../../../lib/local/mappings/partial-batch.ts';
import type { Scheduler, Timer } from '../kernel/scheduler.ts';
import type { Trace } from '../kernel/trace.ts';
import type { Faults } from './faults.ts';
import type { InvocationEnd, LambdaFunction } from './lambda.ts';
import type { Queue, ReceivedMessage } from './queue.ts';

/** The shape of `SQSEvent`, as far as the handlers read it. */
export interface QueueEvent {
  Records: {
    messageId: string;
    receiptHandle: string;
    body: string;
    attributes: Record<string, string>;
    messageAttributes: Record<string, never>;
    md5OfBody: string;
    eventSource: 'aws:sqs';
    eventSourceARN: string;
    awsRegion: string;
  }[];
}

export interface QueueSourceSettings {
  batchSize: number;
  /** Invocations of this mapping at once, as `ScalingConfig.MaximumConcurrency`: another mapping of the function has its own. */
  maxConcurrency: number;
  /** How long the mapping collects before it invokes. */
  batchWindowMs: number;
  /** A message was deleted because the function is done with it. */
  onDone: (message: ReceivedMessage) => void;
}

export function connectQueue(
  { scheduler, trace, faults }: { scheduler: Scheduler; trace: Trace; faults: Faults },
  queue: Queue,
  target: LambdaFunction<QueueEvent>,
  settings: QueueSourceSettings,
): void {
  let poll: { at: number; timer: Timer } | undefined;
  let running = 0;

  const planPoll = (): void => {
    const next = queue.nextVisibleAt();
    if (next === undefined || running >= settings.maxConcurrency) return;
    const at = Math.max(next, scheduler.now()) + settings.batchWindowMs;
    if (poll !== undefined && poll.at <= at) return;
    poll?.timer.cancel();
    poll = { at, timer: scheduler.at(at, pollNow) };
  };

  const pollNow = (): void => {
    poll = undefined;
    if (running < settings.maxConcurrency) {
      const messages = queue.receive(settings.batchSize);
      // It counts as a receive; the messages come back when their visibility timeout ends.
      const isThrottled = messages.length > 0 && faults.strikes('throttled-invoke', queue.name);
      if (messages.length > 0 && !isThrottled) {
        running += 1;
        target.invoke(eventOf(queue.name, messages), (end) => {
          running -= 1;
          for (const done of succeeded(messages, end, trace, target.name)) {
            queue.delete(done.receiptHandle);
            settings.onDone(done);
          }
          planPoll();
        });
      }
    }
    planPoll();
  };

  queue.onArrival(planPoll);
}

/** The messages that the mapping deletes after this end. */
function succeeded(
  messages: readonly ReceivedMessage[],
  end: InvocationEnd,
  trace: Trace,
  functionName: string,
): readonly ReceivedMessage[] {
  if (end.kind === 'failed') return [];
  const result = readAnswer(end.value, new Set(messages.map(({ messageId }) => messageId)));
  if (result.kind === 'failed') return [];
  if (result.kind === 'succeeded') return messages;
  trace.note(functionName, `reports ${result.ids.size} of ${messages.length} as failed`);
  return messages.filter((message) => !result.ids.has(message.messageId));
}

/** What a returned value means to AWS, `ids` being what the batch held. Lambda hands it on as JSON; undefined is null there. */
export const readAnswer = (value: unknown, ids: ReadonlySet<string>): BatchResult =>
  batchResult(JSON.stringify(value) ?? 'null', ids);

const queueArn = (queueName: string): string => `arn:aws:sqs:eu-central-1:000000000000:${queueName}`;

const eventOf = (queueName: string, messages: readonly ReceivedMessage[]): QueueEvent => ({
  Records: messages.map(({ messageId, receiptHandle, body, receiveCount, sentAt, firstReceivedAt, source }) => ({
    messageId,
    receiptHandle,
    body,
    attributes: {
      ApproximateReceiveCount: String(receiveCount),
      SentTimestamp: String(sentAt),
      ApproximateFirstReceiveTimestamp: String(firstReceivedAt),
      SenderId: 'simulation',
      ...(source !== undefined && { DeadLetterQueueSourceArn: queueArn(source) }),
    },
    messageAttributes: {},
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: queueArn(queueName),
    awsRegion: 'eu-central-1',
  })),
});
