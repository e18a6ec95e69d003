// Sends a payload to whatever an ARN names: queue, topic, bucket, function or bus. Used by rule targets, on-failure
// destinations and dead-letter queues. Messages for one queue leave in order, in batches.

import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { EventRecoveryError } from '../../model/errors.ts';
import { resourceOfArn } from '../names.ts';

export interface Destinations {
  /** @throws EventRecoveryError when the destination refuses or does not exist */
  send(destinationArn: string, payload: string, options?: SendOptions): Promise<void>;
}

export interface SendOptions {
  /** SQS message attributes (strings). */
  attributes?: Readonly<Record<string, string>>;
  messageGroupId?: string;
  /** Object key, for buckets. */
  key?: string;
}

export interface DestinationsOptions {
  sqs: SQSClient;
  sns: SNSClient;
  s3: S3Client;
  queueUrl(queueName: string): string;
  invokeEvent(functionArn: string, payload: string): void;
  putEvent(busArn: string, event: string): void;
  /** @throws when there is no such state machine */
  startExecution(stateMachineArn: string, input: string): void;
}

interface Pending {
  body: string;
  options: SendOptions;
  done(): void;
  failed(error: unknown): void;
}

/** SQS takes 10 messages and 1 MiB a batch; half of that leaves room for attributes. */
const BATCH_COUNT = 10;
const BATCH_BYTES = 524_288;

export function createDestinations(options: DestinationsOptions): Destinations {
  const queues = new Map<string, { pending: Pending[]; running: boolean }>();

  const flush = async (queueName: string): Promise<void> => {
    const queue = queues.get(queueName);
    if (!queue || queue.running) return;
    queue.running = true;
    while (queue.pending.length > 0) {
      const batch = nextBatch(queue.pending);
      try {
        const entries = batch.map(entryOf);
        const result = await options.sqs.send(
          new SendMessageBatchCommand({ QueueUrl: options.queueUrl(queueName), Entries: entries }),
        );
        const failed = new Map((result.Failed ?? []).map((failure) => [Number(failure.Id), failure]));
        for (const [index, pending] of batch.entries()) {
          const failure = failed.get(index);
          if (failure) pending.failed(refused(queueName, `${failure.Code}: ${failure.Message}`));
          else pending.done();
        }
      } catch (error) {
        for (const pending of batch) pending.failed(error);
      }
    }
    queue.running = false;
  };

  const sendToQueue = (queueName: string, body: string, sendOptions: SendOptions): Promise<void> =>
    new Promise((done, failed) => {
      const queue = queues.get(queueName) ?? { pending: [], running: false };
      queues.set(queueName, queue);
      queue.pending.push({ body, options: sendOptions, done, failed });
      void flush(queueName);
    });

  return {
    async send(destinationArn, payload, sendOptions = {}) {
      const service = destinationArn.split(':')[2];
      const resource = resourceOfArn(destinationArn);
      switch (service) {
        case 'sqs':
          return sendToQueue(resource, payload, sendOptions);
        case 'sns':
          await options.sns.send(new PublishCommand({ TopicArn: destinationArn, Message: payload }));
          return;
        case 's3':
          await options.s3.send(
            new PutObjectCommand({
              Bucket: resource,
              Key: sendOptions.key,
              Body: payload,
              ContentType: 'application/json',
            }),
          );
          return;
        case 'lambda':
          return options.invokeEvent(destinationArn, payload);
        case 'events':
          return options.putEvent(destinationArn, payload);
        case 'states':
          return options.startExecution(destinationArn, payload);
        default:
          throw refused(destinationArn, `no way to deliver to ${service}`);
      }
    },
  };
}

function nextBatch(pending: Pending[]): Pending[] {
  const batch: Pending[] = [];
  let bytes = 0;
  while (pending[0] && batch.length < BATCH_COUNT) {
    bytes += Buffer.byteLength(pending[0].body);
    if (batch.length > 0 && bytes > BATCH_BYTES) break;
    batch.push(pending.shift() as Pending);
  }
  return batch;
}

const entryOf = (pending: Pending, index: number) => ({
  Id: String(index),
  MessageBody: withoutSurrogates(pending.body),
  MessageGroupId: pending.options.messageGroupId,
  MessageAttributes:
    pending.options.attributes &&
    Object.fromEntries(
      Object.entries(pending.options.attributes).map(([name, value]) => [
        name,
        { DataType: 'String', StringValue: value },
      ]),
    ),
});

/**
 * fauxqs refuses characters above U+FFFF (emoji), which SQS takes: JSON can write them as escapes.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
function withoutSurrogates(body: string): string {
  if (!/^[[{"]/.test(body)) return body;
  return body.replaceAll(/[\ud800-\udfff]/g, (half) => `\\u${half.charCodeAt(0).toString(16)}`);
}

const refused = (destination: string, why: string): EventRecoveryError =>
  new EventRecoveryError(
    'LOCAL_DELIVERY_FAILED',
    `cannot deliver to ${destination}: ${why}; remedy: check the destination in the template`,
    {
      facts: { destination, why },
    },
  );
