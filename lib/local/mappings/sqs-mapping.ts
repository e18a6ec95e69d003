// The SQS poller of Lambda: receives batches, invokes up to the maximum concurrency, deletes what succeeded. What failed
// is left alone and comes back after the queue's visibility timeout, as on AWS.
// https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html

import { setTimeout as sleep } from 'node:timers/promises';
import { DeleteMessageBatchCommand, type Message, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { matches, type Pattern } from '../bus/pattern.ts';
import type { LambdaFunction } from '../functions/lambda-function.ts';
import type { Semaphore } from '../functions/semaphore.ts';
import { REGION } from '../names.ts';
import { createGate, type Mapping } from './mapping.ts';
import { batchResult } from './partial-batch.ts';

export interface SqsMappingOptions {
  id: string;
  lambda: LambdaFunction;
  sqs: SQSClient;
  queueUrl: string;
  queueArn: string;
  visibilityTimeoutSeconds: number;
  batchSize: number;
  windowSeconds: number;
  maximumConcurrency: number;
  reportBatchItemFailures: boolean;
  filters: readonly Pattern[];
  /** Shared by all queues of the machine. */
  gate: Semaphore;
}

const RECEIVE_MAX = 10;
/** Short, because fauxqs gives a message also to a poll whose client has gone: polls are never aborted. */
const POLL_SECONDS = 1;
const THROTTLED_RETRY_MS = 200;
const ENGINE_DOWN_RETRY_MS = 500;

export function createSqsMapping(options: SqsMappingOptions): Mapping {
  const { lambda, sqs, queueUrl: QueueUrl } = options;
  const gate = createGate();
  const running = new Set<Promise<void>>();

  const receive = async (count: number, waitSeconds: number): Promise<Message[]> => {
    const result = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: Math.min(count, RECEIVE_MAX),
        WaitTimeSeconds: waitSeconds,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      }),
    );
    return result.Messages ?? [];
  };

  /** One batch: full, or whatever came within the batching window. */
  const collect = async (): Promise<Message[]> => {
    const messages = await receive(options.batchSize, POLL_SECONDS);
    const until = Date.now() + options.windowSeconds * 1_000;
    while (messages.length > 0 && messages.length < options.batchSize && Date.now() < until) {
      const more = await receive(options.batchSize - messages.length, 0);
      messages.push(...more);
      if (more.length === 0) await sleep(50);
    }
    return messages;
  };

  const remove = async (messages: readonly Message[]): Promise<void> => {
    for (let at = 0; at < messages.length; at += RECEIVE_MAX) {
      const Entries = messages
        .slice(at, at + RECEIVE_MAX)
        .map((message, index) => ({ Id: String(index), ReceiptHandle: message.ReceiptHandle }));
      await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
    }
  };

  const invoke = async (messages: readonly Message[]): Promise<Message[]> => {
    const payload = JSON.stringify({ Records: messages.map((message) => recordOf(message, options.queueArn)) });
    const until = Date.now() + options.visibilityTimeoutSeconds * 1_000;
    let outcome = await lambda.invoke(payload);
    while (outcome.kind === 'throttled' && Date.now() < until) {
      await sleep(THROTTLED_RETRY_MS);
      outcome = await lambda.invoke(payload);
    }
    if (outcome.kind !== 'done') return [];
    if (!options.reportBatchItemFailures) return [...messages];
    const result = batchResult(outcome.payload, new Set(messages.map((message) => String(message.MessageId))));
    if (result.kind === 'failed') return [];
    if (result.kind === 'succeeded') return [...messages];
    return messages.filter((message) => !result.ids.has(String(message.MessageId)));
  };

  const deliver = async (received: readonly Message[]): Promise<void> => {
    const wanted = received.filter((message) => isWanted(message, options.filters));
    const unwanted = received.filter((message) => !wanted.includes(message));
    const leave = await options.gate.enter();
    try {
      const done = wanted.length === 0 ? [] : await invoke(wanted);
      await remove([...unwanted, ...done]);
    } finally {
      leave();
    }
  };

  const loop = async (): Promise<void> => {
    while (await gate.pass()) {
      try {
        if (running.size >= options.maximumConcurrency) {
          await Promise.race(running);
          continue;
        }
        const messages = await collect();
        if (messages.length === 0) continue;
        const delivery = deliver(messages)
          .catch(() => undefined)
          .finally(() => running.delete(delivery));
        running.add(delivery);
      } catch {
        if (!gate.ended) await sleep(ENGINE_DOWN_RETRY_MS);
      }
    }
  };

  return {
    id: options.id,
    functionName: lambda.spec.name,
    sourceArn: options.queueArn,
    get inFlight() {
      return running.size;
    },
    start: () => void loop(),
    async pause() {
      gate.close();
      // A poll under way still delivers what it gets.
      await sleep(POLL_SECONDS * 1_000 + 100);
      while (running.size > 0) await Promise.all(running);
    },
    resume: () => gate.open(),
    stop: () => gate.end(),
  };
}

function isWanted(message: Message, filters: readonly Pattern[]): boolean {
  if (filters.length === 0) return true;
  let body: unknown = message.Body;
  try {
    body = JSON.parse(message.Body ?? '');
  } catch {
    // A text body matches only patterns for texts.
  }
  return filters.some((filter) => matches(filter, { body }));
}

/** The record as functions get it: SQS's own names in lower camel case. */
const recordOf = (message: Message, queueArn: string): object => ({
  messageId: message.MessageId,
  receiptHandle: message.ReceiptHandle,
  body: message.Body,
  attributes: message.Attributes ?? {},
  messageAttributes: Object.fromEntries(
    Object.entries(message.MessageAttributes ?? {}).map(([name, value]) => [
      name,
      {
        stringValue: value.StringValue,
        binaryValue: value.BinaryValue && Buffer.from(value.BinaryValue).toString('base64'),
        stringListValues: [],
        binaryListValues: [],
        dataType: value.DataType,
      },
    ]),
  ),
  md5OfBody: message.MD5OfBody,
  eventSource: 'aws:sqs',
  eventSourceARN: queueArn,
  awsRegion: REGION,
});
