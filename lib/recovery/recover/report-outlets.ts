// Where reports go: the archive bucket, the alerts topic for people, the bus for programs. Announced at least once; an
// announcement names the stored report and carries its result, not its contents.

import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import { EventRecoveryError } from '../../model/errors.ts';
import { RECOVERY_SOURCE } from '../../model/wake-up.ts';
import { topicSubject } from '../alert/subject.ts';
import { HEADLINES } from '../report/words.ts';
import type { ReportOutlets } from './finish.ts';

/** `detail-type` on the bus. */
export const RECOVERY_FINISHED = 'RecoveryFinished';
/** Rejects with `ANNOUNCEMENT_REFUSED` when EventBridge does not take the entry. */
export function createReportOutlets(parts: {
  s3: Pick<S3Client, 'send'>;
  sns: Pick<SNSClient, 'send'>;
  events: Pick<EventBridgeClient, 'send'>;
  bucket: string;
  topicArn: string;
  busName: string;
}): ReportOutlets {
  const { s3, sns, events, bucket, topicArn, busName } = parts;
  return {
    async store(key, body, contentType) {
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ContentType: contentType }));
    },
    async announce({ id, result, requestedBy, reason, startedAt, endedAt, findings, nextCommands }, key) {
      const facts = { id, result, requestedBy, reason, startedAt, endedAt, findings: findings.length, bucket, key };
      const { Entries = [] } = await events.send(
        new PutEventsCommand({
          Entries: [
            {
              EventBusName: busName,
              Source: RECOVERY_SOURCE,
              DetailType: RECOVERY_FINISHED,
              Detail: JSON.stringify(facts),
            },
          ],
        }),
      );
      const [entry] = Entries;
      if (entry?.EventId === undefined || entry.ErrorCode !== undefined) {
        throw new EventRecoveryError(
          'ANNOUNCEMENT_REFUSED',
          `PutEvents to ${busName} refused the report: ${entry?.ErrorCode ?? 'no result'}; remedy: try again, the report is stored`,
          { retryable: true, facts: { busName, code: entry?.ErrorCode } },
        );
      }
      await sns.send(
        new PublishCommand({
          TopicArn: topicArn,
          Subject: topicSubject(`Recovery ${id}: ${HEADLINES[result]}`),
          Message: JSON.stringify({ ...facts, nextCommands }, undefined, 2),
        }),
      );
    },
  };
}
