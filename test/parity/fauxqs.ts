// One fauxqs for a test file, inside its process, and clients of it.

import type { AddressInfo } from 'node:net';
import { SNSClient } from '@aws-sdk/client-sns';
import { CreateQueueCommand, GetQueueAttributesCommand, SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { buildApp } from 'fauxqs';

export interface Fauxqs {
  sqs: SQSClient;
  sns: SNSClient;
  /** A new queue. */
  createQueue(attributes: Record<string, string>): Promise<{ url: string; arn: string }>;
  /** Up to ten messages. */
  sendAll(queueUrl: string, bodies: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

export async function startFauxqs(): Promise<Fauxqs> {
  const app = buildApp({ logger: false });
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  const config = {
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
  };
  const sqs = new SQSClient(config);
  const sns = new SNSClient(config);
  let queues = 0;
  return {
    sqs,
    sns,
    async createQueue(Attributes) {
      queues += 1;
      const { QueueUrl: url = '' } = await sqs.send(
        new CreateQueueCommand({ QueueName: `parity-${queues}`, Attributes }),
      );
      const { Attributes: { QueueArn: arn = '' } = {} } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['QueueArn'] }),
      );
      return { url, arn };
    },
    async sendAll(QueueUrl, bodies) {
      const Entries = bodies.map((MessageBody, index) => ({ Id: String(index), MessageBody }));
      await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    },
    async close() {
      sqs.destroy();
      sns.destroy();
      await app.close();
    },
  };
}
