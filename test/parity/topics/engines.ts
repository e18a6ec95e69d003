// A topic in memory, and one of fauxqs with a queue that subscribes to it.

import { CreateTopicCommand, SubscribeCommand } from '@aws-sdk/client-sns';
import { DeleteMessageCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { createMemoryTopic, type TopicMessage } from '../../support/memory-topic.ts';
import type { Fauxqs } from '../fauxqs.ts';
import type { Opened } from '../scenario.ts';
import { byMessage, type TopicSubject } from './engine.ts';

export async function memoryTopic(): Promise<Opened<TopicSubject>> {
  const topicArn = 'arn:aws:sns:us-east-1:000000000000:alerts';
  const topic = createMemoryTopic(topicArn);
  return { subject: { sns: topic, topicArn, received: async () => byMessage(topic.published) } };
}

let topics = 0;

export async function fauxqsTopic({ sqs, sns, createQueue }: Fauxqs): Promise<Opened<TopicSubject>> {
  topics += 1;
  const { TopicArn: topicArn = '' } = await sns.send(new CreateTopicCommand({ Name: `parity-${topics}` }));
  const { url: QueueUrl, arn } = await createQueue({});
  await sns.send(new SubscribeCommand({ TopicArn: topicArn, Protocol: 'sqs', Endpoint: arn }));
  const got: TopicMessage[] = [];
  return {
    subject: {
      sns,
      topicArn,
      async received() {
        for (;;) {
          const { Messages = [] } = await sqs.send(
            new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 0 }),
          );
          if (Messages.length === 0) return byMessage(got);
          for (const { Body = '', ReceiptHandle } of Messages) {
            got.push(JSON.parse(Body) as TopicMessage);
            await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
          }
        }
      },
    },
  };
}
