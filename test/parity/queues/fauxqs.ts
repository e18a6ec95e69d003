// A queue of fauxqs.

import { setTimeout as sleep } from 'node:timers/promises';
import { DeleteMessageCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { createWorld } from '../../../lib/platform/world.ts';
import type { Fauxqs } from '../fauxqs.ts';
import type { Opened } from '../scenario.ts';
import type { QueueSettings, QueueSubject, Received } from './engine.ts';

/** More than the second that a delay or a visibility timeout says: its clock is another one. */
const SLACK_MS = 150;

export async function fauxqsQueue(
  { sqs, createQueue }: Fauxqs,
  { visibilitySeconds, maxReceiveCount }: QueueSettings,
): Promise<Opened<QueueSubject>> {
  const dead = await createQueue({});
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount });
  const { url } = await createQueue({
    VisibilityTimeout: String(visibilitySeconds),
    ...(maxReceiveCount !== undefined && { RedrivePolicy }),
  });
  const receiveFrom = async (QueueUrl: string, most: number): Promise<Received[]> => {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: most,
        WaitTimeSeconds: 0,
        MessageSystemAttributeNames: ['ApproximateReceiveCount'],
      }),
    );
    return Messages.map(({ Body = '', ReceiptHandle = '', Attributes = {} }) => ({
      body: Body,
      receiveCount: Number(Attributes.ApproximateReceiveCount),
      handle: ReceiptHandle,
    }));
  };
  return {
    subject: {
      send: async (MessageBody, DelaySeconds = 0) => {
        await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody, DelaySeconds }));
      },
      receive: (most = 1) => receiveFrom(url, most),
      remove: async (ReceiptHandle) => {
        await sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle }));
      },
      dead: async () => (await receiveFrom(dead.url, 10)).map(({ body }) => body),
      pass: (seconds) => sleep(seconds * 1_000 + SLACK_MS),
      client: sqs,
      url,
      world: createWorld(),
      until: (work) => work(),
    },
  };
}
