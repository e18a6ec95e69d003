// From a record of a dead-letter queue to what it was about. Four kinds arrive: a consumer's own messages (they name it), bus
// deliveries that the consumer never acknowledged, bus deliveries that never reached its queue, and invocations of our own
// functions (schedules, repairs) that were given up. The second and third name no consumer; the queue that they were meant for
// does (SQS: `DeadLetterQueueSourceArn`; EventBridge: attribute TARGET_ARN). Pure.

import type { Redeliver, WakeUp } from '../../flow/consumer/messages.ts';
import { parseRecord, type QueueRecord } from '../../flow/consumer/parse-messages.ts';
import { DRILL_STREAM_PREFIX } from '../../model/ids.ts';

/** The SQS record, as far as it is read. */
export interface DeadRecord {
  messageId: string;
  body: string;
  eventSourceARN?: string;
  attributes?: QueueRecord['attributes'] & { DeadLetterQueueSourceArn?: string; SentTimestamp?: string };
  messageAttributes?: Record<string, { stringValue?: string; binaryValue?: string } | undefined>;
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
  /** An invocation of one of our functions, given up by Lambda or never begun by EventBridge. */
  | { kind: 'invocation'; record: DeadRecord; functionName: string; reason: string }
  /** Written by newer code: it comes back until that code is deployed here, too. */
  | { kind: 'newer'; record: DeadRecord; reason: string }
  | { kind: 'malformed'; record: DeadRecord; reason: string };

/** Never throws. */
export function parseDeadMessage(record: DeadRecord): DeadMessage {
  const invocation = lambdaGaveUp(record.body) ?? notInvoked(record);
  if (invocation !== undefined) return { kind: 'invocation', record, ...invocation };
  const { consumer, streamId } = glance(record.body);
  const parsed = parseRecord(record, {
    name: consumer ?? '',
    drill: streamId?.startsWith(DRILL_STREAM_PREFIX) ?? false,
  });
  if (parsed.kind === 'refused') {
    const { error } = parsed;
    const kind = error.code === 'NEWER_FORMAT' ? 'newer' : 'malformed';
    return { kind, record, reason: error.message };
  }
  if (parsed.kind === 'ignored') return { kind: 'malformed', record, reason: parsed.reason };
  const queueArn = record.attributes?.DeadLetterQueueSourceArn ?? record.messageAttributes?.TARGET_ARN?.stringValue;
  return { kind: 'understood', record, body: parsed.message.body, consumer, queueArn };
}

interface GivenUp {
  functionName: string;
  reason: string;
}

const FUNCTION_ARN = /^arn:[^:]+:lambda:[^:]+:[^:]+:function:([A-Za-z0-9_-]{1,140})(?::[^:]+)?$/;
/** As long as it stands in an alert; the whole record is kept. */
const REASON_MAX = 300;

/**
 * What Lambda sends to an on-failure destination ("Adding a destination", Lambda Developer Guide: `requestContext` has function
 * and condition, `responsePayload` the error).
 */
function lambdaGaveUp(body: string): GivenUp | undefined {
  const { requestContext, responsePayload } = objectIn(body) as { requestContext?: unknown; responsePayload?: unknown };
  const { functionArn, condition } = asObject(requestContext);
  const functionName = functionIn(functionArn);
  if (functionName === undefined) return undefined;
  const { errorType, errorMessage } = asObject(responsePayload);
  const reason = [condition, errorType, errorMessage].map(textOf).filter((part) => part !== undefined);
  return { functionName, reason: reason.join(': ').slice(0, REASON_MAX) };
}

/** What EventBridge puts into a target's dead-letter queue: the event, with attributes that say why. */
function notInvoked({ messageAttributes }: DeadRecord): GivenUp | undefined {
  const functionName = functionIn(messageAttributes?.TARGET_ARN?.stringValue);
  if (functionName === undefined) return undefined;
  const { ERROR_CODE, ERROR_MESSAGE } = messageAttributes ?? {};
  const reason = [ERROR_CODE, ERROR_MESSAGE].map((one) => one?.stringValue).filter((part) => part !== undefined);
  return { functionName, reason: reason.join(': ').slice(0, REASON_MAX) };
}

const functionIn = (arn: unknown): string | undefined => FUNCTION_ARN.exec(textOf(arn) ?? '')?.[1];

const asObject = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

function objectIn(body: string): Record<string, unknown> {
  try {
    return asObject(JSON.parse(body));
  } catch {
    return {};
  }
}

/** The parser checks everything, but must be told whose message it is. */
function glance(body: string): { consumer?: string; streamId?: string } {
  const { consumer, streamId, detail } = objectIn(body);
  return { consumer: textOf(consumer), streamId: textOf(streamId ?? asObject(detail).streamId) };
}

/** Longer ones than this are cut in a line. */
const CORRELATION_MAX = 256;

/** What a message was about, as far as it says so: also of one that nobody understands. */
export function correlationIn(body: string): string | undefined {
  const { correlationId, detail, requestPayload } = objectIn(body);
  const inside = asObject(detail).correlationId ?? asObject(asObject(requestPayload).detail).correlationId;
  return textOf(correlationId ?? inside)?.slice(0, CORRELATION_MAX);
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** Queue URL and ARN name the same queue by account and name. */
export const isQueue = (queueUrl: string, queueArn: string): boolean =>
  queueUrl.split('/').slice(-2).join('/') === queueArn.split(':').slice(-2).join('/');
