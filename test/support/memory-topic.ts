// An SNS topic in memory, as strict as the API reference of Publish: what it takes is handed to every subscriber as a queue gets
// it from a topic without raw delivery, and remembered.
// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html

import type { PublishCommand } from '@aws-sdk/client-sns';

/** The envelope in a subscribed queue. https://docs.aws.amazon.com/sns/latest/dg/sns-sqs-as-subscriber.html */
export interface TopicMessage {
  Type: 'Notification';
  MessageId: string;
  TopicArn: string;
  Subject?: string;
  Message: string;
}

export interface MemoryTopic {
  send(command: PublishCommand): Promise<{ MessageId: string }>;
  readonly published: readonly TopicMessage[];
}

/** 256 KB, in bytes of UTF-8. */
const MESSAGE_MAX_BYTES = 262_144;
const SUBJECT_BELOW = 100;

/** @throws Error `NotFoundException`, `InvalidParameterException`, as the SDK names what SNS answers */
export function createMemoryTopic(topicArn: string): MemoryTopic {
  const published: TopicMessage[] = [];
  return {
    published,
    async send({ input: { TopicArn, Subject, Message = '' } }) {
      if (TopicArn !== topicArn) throw named('NotFoundException', 'Topic does not exist');
      if (Message === '') throw named('InvalidParameterException', 'Invalid parameter: Empty message');
      if (Buffer.byteLength(Message) > MESSAGE_MAX_BYTES) {
        throw named('InvalidParameterException', 'Invalid parameter: Message too long');
      }
      if (Subject !== undefined && !isSubject(Subject)) {
        throw named('InvalidParameterException', 'Invalid parameter: Subject');
      }
      const MessageId = `message-${published.length + 1}`;
      published.push({ Type: 'Notification', MessageId, TopicArn, ...(Subject !== undefined && { Subject }), Message });
      return { MessageId };
    },
  };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const isSubject = (text: string): boolean => text.length < SUBJECT_BELOW && /^[^\u0000-\u001f\u007f]+$/.test(text);

const named = (name: string, message: string): Error => Object.assign(new Error(message), { name });
