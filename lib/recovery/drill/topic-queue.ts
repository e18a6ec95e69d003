// A queue of the drill's own on a topic, so that it sees what people and other systems would have got.

import { SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand, DeleteMessageBatchCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { DrillSystem } from './system.ts';

export interface TopicQueue {
  /** Everything that was published since the queue is there, oldest calls first. */
  messages(): Promise<readonly string[]>;
  stop(): void;
}

/** SQS, CreateQueue: names have at most 80 characters. */
const QUEUE_NAME_MAX = 80;

export async function openTopicQueue(system: DrillSystem, topicArn: string, name: string): Promise<TopicQueue> {
  const sqs = new SQSClient(system.clientConfig);
  const sns = new SNSClient(system.clientConfig);
  const queueName = name.replaceAll(/[^A-Za-z0-9_-]/g, '-').slice(0, QUEUE_NAME_MAX);
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: queueName }));
  const [, , , region, account] = topicArn.split(':');
  const Endpoint = `arn:aws:sqs:${region}:${account}:${queueName}`;
  await sns.send(
    new SubscribeCommand({ TopicArn: topicArn, Protocol: 'sqs', Endpoint, Attributes: { RawMessageDelivery: 'true' } }),
  );
  const received: string[] = [];
  return {
    async messages() {
      received.push(...(await drain(sqs, QueueUrl)));
      return received;
    },
    stop() {
      for (const client of [sqs, sns]) client.destroy();
    },
  };
}

/** Everything that lies in the queue now. Messages leave it in batches of ten until it is empty. */
async function drain(sqs: SQSClient, QueueUrl: string): Promise<string[]> {
  const bodies: string[] = [];
  for (;;) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 0 }),
    );
    if (Messages.length === 0) return bodies;
    bodies.push(...Messages.map((message) => String(message.Body)));
    const Entries = Messages.map((message, index) => ({ Id: String(index), ReceiptHandle: message.ReceiptHandle }));
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
  }
}
