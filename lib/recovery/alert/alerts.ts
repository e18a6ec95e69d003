// Alerts for people: one per group (consumer and fingerprint) and window, however many dead letters and functions ask. The
// group is claimed by a row before it is published and marked afterwards: a claim whose publishing was lost is taken over
// after a minute, so that a crash between the two never silences a group. At least once.

import { PublishCommand, type PublishCommandInput } from '@aws-sdk/client-sns';
import type { Clock } from '../../platform/clock.ts';
import { isConditionFailed } from '../../platform/dynamodb/failures.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import { topicSubject } from './subject.ts';

const FORMAT = 1;
export const ALERT_WINDOW_MS = 60 * 60_000;
/** Longer than a publish with its retries (MESSAGING_LIMITS: 6.3 s) takes. */
export const CLAIM_MS = 60_000;
export interface Alert {
  consumer: string;
  /** Equal for failures with one cause; or a word for what has no error, such as `undeliverable`. */
  fingerprint: string;
  /** When it happened: decides the window. */
  at: number;
  subject: string;
  /** What a person needs: counts, examples, the next command. */
  facts: Record<string, unknown>;
}

export interface Alerts {
  /** @returns `told-already` when this group was published in its window. @throws when it could not be published */
  raise(alert: Alert): Promise<'published' | 'told-already'>;
}

/** The part of an SNS client that is needed here. */
export interface SnsPublisher {
  send(command: PublishCommand): Promise<unknown>;
}

export const windowOf = (at: number): number => Math.floor(at / ALERT_WINDOW_MS) * ALERT_WINDOW_MS;

const pad = (ms: number): string => String(ms).padStart(16, '0');

export function createAlerts({
  dynamo,
  table,
  sns,
  topicArn,
  clock,
}: {
  dynamo: Dynamo;
  table: string;
  sns: SnsPublisher;
  topicArn: string;
  clock: Clock;
}): Alerts {
  const isClaimed = async (Key: { pk: string; sk: string }): Promise<boolean> => {
    const now = clock.now();
    const neverTold = 'attribute_not_exists(pk)';
    const lost = '(#state = :claimed AND #claimedAt < :lostBefore)';
    try {
      await dynamo.put({
        TableName: table,
        Item: { ...Key, state: 'claimed', claimedAt: now, format: FORMAT },
        ConditionExpression: `${neverTold} OR ${lost}`,
        ExpressionAttributeNames: { '#state': 'state', '#claimedAt': 'claimedAt' },
        ExpressionAttributeValues: { ':claimed': 'claimed', ':lostBefore': now - CLAIM_MS },
      });
      return true;
    } catch (error) {
      if (isConditionFailed(error)) return false;
      throw error;
    }
  };

  return {
    async raise({ consumer, fingerprint, at, subject, facts }) {
      const window = windowOf(at);
      const key = { pk: 'alert', sk: `${consumer}#${fingerprint}#${pad(window)}` };
      if (!(await isClaimed(key))) return 'told-already';
      const windowStart = new Date(window).toISOString();
      const message: PublishCommandInput = {
        TopicArn: topicArn,
        Subject: topicSubject(subject),
        Message: JSON.stringify({ consumer, fingerprint, windowStart, ...facts }, undefined, 2),
      };
      await sns.send(new PublishCommand(message));
      await dynamo.update({
        TableName: table,
        Key: key,
        UpdateExpression: 'SET #state = :sent, #sentAt = :now',
        ExpressionAttributeNames: { '#state': 'state', '#sentAt': 'sentAt' },
        ExpressionAttributeValues: { ':sent': 'sent', ':now': clock.now() },
      });
      return 'published';
    },
  };
}
