// Alerts for people: one per group (consumer and fingerprint) and window, however many dead letters and functions ask. The
// group is claimed by a row before it is published and marked afterwards: a claim whose publishing failed is given back, one
// that was lost in a crash is taken over after a minute. Until it was published nobody is told that it was. At least once.

import { PublishCommand, type PublishCommandInput } from '@aws-sdk/client-sns';
import { EventRecoveryError } from '../../model/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import { isConditionFailed, refusedItem } from '../../platform/dynamodb/failures.ts';
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
  /**
   * @returns `told-already` when this group was published in its window
   * @throws when it could not be published; EventRecoveryError `ALERT_UNDER_WAY` when somebody else is about to: ask again
   */
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
  type Key = { pk: string; sk: string };

  /** False: it was published already. */
  const isClaimed = async (key: Key, claimedAt: number): Promise<boolean> => {
    const neverTold = 'attribute_not_exists(pk)';
    const failed = '#state = :failed';
    const lost = '(#state = :claimed AND #claimedAt < :lostBefore)';
    try {
      await dynamo.put({
        TableName: table,
        Item: { ...key, state: 'claimed', claimedAt, format: FORMAT },
        ConditionExpression: `${neverTold} OR ${failed} OR ${lost}`,
        ExpressionAttributeNames: { '#state': 'state', '#claimedAt': 'claimedAt' },
        ExpressionAttributeValues: { ':failed': 'failed', ':claimed': 'claimed', ':lostBefore': claimedAt - CLAIM_MS },
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      });
      return true;
    } catch (error) {
      if (!isConditionFailed(error)) throw error;
      if (refusedItem(error)?.state === 'sent') return false;
      throw underWay(key.sk);
    }
  };

  /** Best effort: what is not given back is taken over later. */
  const giveBack = async (key: Key, claimedAt: number): Promise<void> => {
    try {
      await dynamo.update({
        TableName: table,
        Key: key,
        UpdateExpression: 'SET #state = :failed',
        ConditionExpression: '#state = :claimed AND #claimedAt = :claimedAt',
        ExpressionAttributeNames: { '#state': 'state', '#claimedAt': 'claimedAt' },
        ExpressionAttributeValues: { ':failed': 'failed', ':claimed': 'claimed', ':claimedAt': claimedAt },
      });
    } catch {
      // The error of the publish is what the caller must hear of.
    }
  };

  return {
    async raise({ consumer, fingerprint, at, subject, facts }) {
      const window = windowOf(at);
      const key = { pk: 'alert', sk: `${consumer}#${fingerprint}#${pad(window)}` };
      const claimedAt = clock.now();
      if (!(await isClaimed(key, claimedAt))) return 'told-already';
      const windowStart = new Date(window).toISOString();
      const message: PublishCommandInput = {
        TopicArn: topicArn,
        Subject: topicSubject(subject),
        Message: JSON.stringify({ consumer, fingerprint, windowStart, ...facts }, undefined, 2),
      };
      try {
        await sns.send(new PublishCommand(message));
      } catch (error) {
        await giveBack(key, claimedAt);
        throw error;
      }
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

/** Whoever claimed it may have died: the caller must not take it for told. */
export const UNDER_WAY = 'ALERT_UNDER_WAY';
const underWay = (group: string): EventRecoveryError =>
  new EventRecoveryError(
    UNDER_WAY,
    `the alert "${group}" was claimed less than ${CLAIM_MS / 1_000} seconds ago and is not published yet; remedy: ask again`,
    { retryable: true, facts: { group } },
  );
