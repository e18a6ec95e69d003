// A topic and one subscriber, and our own ports that publish to it.

import type { SnsPublisher } from '../../../lib/recovery/alert/alerts.ts';
import type { TopicMessage } from '../../support/memory-topic.ts';

export interface TopicSubject {
  sns: SnsPublisher;
  topicArn: string;
  /** What the subscriber has got so far, sorted by its text. */
  received(): Promise<Pick<TopicMessage, 'Subject' | 'Message'>[]>;
}

export const byMessage = (all: readonly TopicMessage[]): Pick<TopicMessage, 'Subject' | 'Message'>[] =>
  all
    .map(({ Subject, Message }) => ({ ...(Subject !== undefined && { Subject }), Message }))
    .sort((a, b) => (a.Message < b.Message ? -1 : 1));
