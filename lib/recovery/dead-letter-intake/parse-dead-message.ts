// From a record of a dead-letter queue to what it was about. Three kinds arrive: a consumer's own messages (they name it), bus
// deliveries that the consumer never acknowledged, and bus deliveries that never reached its queue. The latter two name no
// consumer; the queue that they were meant for does (SQS: `DeadLetterQueueSourceArn`; EventBridge: attribute TARGET_ARN). Pure.

import type { Redeliver, WakeUp } from '../../flow/consumer/messages.ts';
import { parseRecord, type QueueRecord } from '../../flow/consumer/parse-messages.ts';
import { DRILL_STREAM_PREFIX } from '../../model/ids.ts';

/** The SQS record, as far as it is read. */
export interface DeadRecord {
  messageId: string;
  body: string;
  eventSourceARN?: string;
  attributes?: QueueRecord['attributes'] & { DeadLetterQueueSourceArn?: string };
  messageAttributes?: Record<string, { stringValue?: string } | undefined>;
}

export type DeadMessage =
  | {
      kind: 'understood';
      record: DeadRecord;
      body: WakeUp | Redeliver;
      /** Named by the message itself. */
      consumer?: string;
      /** ARN of the queue that it was meant for, when known. */
      queueArn?: string;
    }
  /** Written by newer code: it comes back until that code is deployed here, too. */
  | { kind: 'newer'; record: DeadRecord }
  | { kind: 'malformed'; record: DeadRecord; reason: string };

/** Never throws. */
export function parseDeadMessage(record: DeadRecord): DeadMessage {
  const { consumer, streamId } = glance(record.body);
  const parsed = parseRecord(record, {
    name: consumer ?? '',
    drill: streamId?.startsWith(DRILL_STREAM_PREFIX) ?? false,
  });
  if (parsed.kind === 'refused') {
    const { error } = parsed;
    return error.code === 'NEWER_FORMAT'
      ? { kind: 'newer', record }
      : { kind: 'malformed', record, reason: error.message };
  }
  if (parsed.kind === 'ignored') return { kind: 'malformed', record, reason: parsed.reason };
  const queueArn = record.attributes?.DeadLetterQueueSourceArn ?? record.messageAttributes?.TARGET_ARN?.stringValue;
  return { kind: 'understood', record, body: parsed.message.body, consumer, queueArn };
}

/** The parser checks everything, but must be told whose message it is. */
function glance(body: string): { consumer?: string; streamId?: string } {
  try {
    const fields = JSON.parse(body) as { consumer?: unknown; streamId?: unknown; detail?: { streamId?: unknown } };
    return { consumer: textOf(fields.consumer), streamId: textOf(fields.streamId ?? fields.detail?.streamId) };
  } catch {
    return {};
  }
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** Queue URL and ARN name the same queue by account and name. */
export const isQueue = (queueUrl: string, queueArn: string): boolean =>
  queueUrl.split('/').slice(-2).join('/') === queueArn.split(':').slice(-2).join('/');
