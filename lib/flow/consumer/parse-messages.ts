// From SQS records to what the engine understands. The input is hostile until proven otherwise: every field is checked,
// only known fields are copied, and nothing recurses into a body. One malformed record is that record's failure; it
// comes back and ends in the dead-letter queue, where the intake keeps it. Pure.

import { EventRecoveryError, InvalidInputError, isEventRecoveryError, shown } from '../../model/errors.ts';
import type { Json } from '../../model/event.ts';
import { readableFormat } from '../../model/format.ts';
import { DRILL_STREAM_PREFIX, eventId, eventType, position, streamId, type Version, version } from '../../model/ids.ts';
import { BUS_SOURCE, type QueueMessage, STREAM_MOVED, WAKE_UP_FORMAT } from '../../model/wake-up.ts';
import type { DeliveredEvent, ParsedMessage, Redeliver, WakeUp } from './messages.ts';

/** The SQS record, as far as it is read. */
export interface QueueRecord {
  messageId: string;
  body: string;
  attributes?: { ApproximateReceiveCount?: string };
}

export type ParsedRecord =
  | { kind: 'message'; message: ParsedMessage }
  /** Not this consumer's: rehearsal streams belong to rehearsal consumers, and only these. Acknowledge it. */
  | {
      kind: 'ignored';
      messageId: string;
      reason: 'rehearsal' | 'not-a-rehearsal';
      streamId: string;
      correlationId?: string;
    }
  /** Let it come back. `retryable`: written by newer code, which will read it; otherwise it can only be kept. */
  | { kind: 'refused'; messageId: string; error: EventRecoveryError; correlationId?: string };

/** SQS, quotas: a message has at most 1 MiB. More characters than that cannot have come from SQS. */
export const BODY_LENGTH_MAX = 1_048_576;
export const REDELIVER_VERSIONS_MAX = 100;
const HOPS_MAX = 1_000_000;
const SHOWN_CORRELATION_LENGTH = 256;
const SHA_256_HEX = /^[0-9a-f]{64}$/;

/** Complete by the compiler: a new reason that is missing here would be refused as malformed. */
const WAKE_UP_REASONS: Record<Extract<QueueMessage, { kind: 'wake-up' }>['reason'], true> = {
  'back-up': true,
  continue: true,
  retry: true,
  gap: true,
  redrive: true,
  rewind: true,
  resume: true,
  intake: true,
};

/** Never throws. @example records.map((record) => parseRecord(record, { name: 'inventory', drill: false })) */
export function parseRecord(record: QueueRecord, consumer: { name: string; drill: boolean }): ParsedRecord {
  const { messageId } = record;
  let correlationId: string | undefined;
  try {
    const fields = parseBody(record.body);
    correlationId = correlationIdOf(fields);
    const body = isQueueMessage(fields) ? parseQueueMessage(fields, consumer.name) : parseBusEnvelope(fields);
    const isRehearsal = body.streamId.startsWith(DRILL_STREAM_PREFIX);
    if (isRehearsal !== consumer.drill) {
      const reason = isRehearsal ? 'rehearsal' : 'not-a-rehearsal';
      return { kind: 'ignored', messageId, reason, streamId: body.streamId, correlationId };
    }
    const receiveCount = Number(record.attributes?.ApproximateReceiveCount);
    return {
      kind: 'message',
      message: { messageId, receiveCount: Number.isSafeInteger(receiveCount) ? receiveCount : 1, body },
    };
  } catch (error) {
    return { kind: 'refused', messageId, error: asRefusal(error), correlationId };
  }
}

type Fields = Readonly<Record<string, unknown>>;

function parseBody(body: unknown): Fields {
  if (typeof body !== 'string' || body.length > BODY_LENGTH_MAX) {
    const got = typeof body === 'string' ? `${body.length} characters` : typeof body;
    throw malformed('body of a message', got, `text of at most ${BODY_LENGTH_MAX} characters`);
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    throw malformed('body of a message', body, 'a JSON object');
  }
  return record('body of a message', parsed);
}

const isQueueMessage = (fields: Fields): boolean => Object.hasOwn(fields, 'kind');

/** What EventBridge delivers: the relay's entry is its `detail`. */
function parseBusEnvelope(envelope: Fields): WakeUp {
  if (envelope.source !== BUS_SOURCE) throw malformed('source of a message', envelope.source, `"${BUS_SOURCE}"`);
  const detail = record('detail of a message', envelope.detail);
  readableFormat('message', detail.format, WAKE_UP_FORMAT);
  const base = {
    kind: 'wake-up' as const,
    streamId: streamId(detail.streamId),
    version: atLeastOne('version of a message', version(detail.version)),
    hops: 0,
  };
  if (envelope['detail-type'] === STREAM_MOVED) return { ...base, reason: 'stream-moved' };
  const type = eventType(detail.type);
  if (envelope['detail-type'] !== type) {
    throw malformed('detail-type of a message', envelope['detail-type'], `the event's type "${type}"`);
  }
  return {
    ...base,
    reason: 'event',
    correlationId: text('correlationId of a message', detail.correlationId),
    ...(hasBody(detail) ? { delivered: parseDelivered(detail, base.version) } : {}),
  };
}

const hasBody = (detail: Fields): boolean => Object.hasOwn(detail, 'data') && detail.bodyOmitted !== true;

function parseDelivered(detail: Fields, eventVersion: Version): DeliveredEvent {
  const { commitHash } = detail;
  if (typeof commitHash !== 'string' || !SHA_256_HEX.test(commitHash)) {
    throw malformed('commitHash of a message', commitHash, '64 hexadecimal digits');
  }
  const commitVersion = atLeastOne('commitVersion of a message', version(detail.commitVersion));
  if (commitVersion > eventVersion) {
    throw malformed('commitVersion of a message', commitVersion, `at most the event's version ${eventVersion}`);
  }
  const timestamp = new Date(text('timestamp of a message', detail.timestamp));
  if (Number.isNaN(timestamp.getTime()))
    throw malformed('timestamp of a message', detail.timestamp, 'an ISO 8601 time');
  return {
    commitHash,
    commitVersion,
    event: {
      id: eventId(detail.id),
      streamId: streamId(detail.streamId),
      type: eventType(detail.type),
      data: detail.data as Json,
      metadata: {
        timestamp,
        version: eventVersion,
        correlationId: text('correlationId of a message', detail.correlationId),
        causationId: text('causationId of a message', detail.causationId),
        position: position(detail.position),
      },
    },
  };
}

/** What consumers, the intake and recovery functions send straight to the queue. */
function parseQueueMessage(fields: Fields, consumer: string): WakeUp | Redeliver {
  readableFormat('message', fields.format, WAKE_UP_FORMAT);
  if (fields.consumer !== consumer) {
    throw new InvalidInputError('MISDIRECTED_MESSAGE', {
      what: 'consumer that a message is for',
      got: fields.consumer,
      allowed: `"${consumer}", whose queue this is`,
      remedy: 'compare the queue URLs in the registry with the deployed queues',
    });
  }
  const base = { streamId: streamId(fields.streamId), hops: wholeNumber('hops of a message', fields.hops, HOPS_MAX) };
  if (fields.kind === 'redeliver') return { ...base, ...parseRedeliver(fields) };
  if (fields.kind !== 'wake-up') throw malformed('kind of a message', fields.kind, '"wake-up" or "redeliver"');
  if (typeof fields.reason !== 'string' || !Object.hasOwn(WAKE_UP_REASONS, fields.reason)) {
    throw malformed('reason of a wake-up', fields.reason, Object.keys(WAKE_UP_REASONS).join(', '));
  }
  return {
    ...base,
    kind: 'wake-up',
    version: version(fields.version),
    reason: fields.reason as WakeUp['reason'],
    ...optionalText('correlationId', fields),
    ...optionalText('replayId', fields),
  };
}

function parseRedeliver(fields: Fields): Omit<Redeliver, 'streamId' | 'hops'> {
  const { versions, attempts } = fields;
  const allowed = `1 to ${REDELIVER_VERSIONS_MAX} ascending versions`;
  if (!Array.isArray(versions) || versions.length === 0 || versions.length > REDELIVER_VERSIONS_MAX) {
    throw malformed('versions of a redelivery', Array.isArray(versions) ? versions.length : versions, allowed);
  }
  const checked = versions.map((each: unknown) => atLeastOne('version of a redelivery', version(each)));
  if (checked.some((each, index) => index > 0 && each <= (checked[index - 1] as number))) {
    throw malformed('versions of a redelivery', versions, allowed);
  }
  return {
    kind: 'redeliver',
    versions: checked,
    replayId: text('replayId of a redelivery', fields.replayId),
    ...(attempts === undefined ? {} : { attempts: wholeNumber('attempts of a redelivery', attempts, HOPS_MAX) }),
    ...optionalFlag('suppressEffects', fields),
    ...optionalFlag('whileOpen', fields),
    ...optionalText('correlationId', fields),
  };
}

function record(what: string, value: unknown): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw malformed(what, Array.isArray(value) ? 'an array' : value, 'a JSON object');
}

function text(what: string, value: unknown): string {
  if (typeof value === 'string' && value.length > 0) return value;
  throw malformed(what, value, 'text of at least one character');
}

const optionalText = (name: 'correlationId' | 'replayId', fields: Fields): Partial<Record<typeof name, string>> =>
  fields[name] === undefined ? {} : { [name]: text(`${name} of a message`, fields[name]) };

function optionalFlag<Name extends 'suppressEffects' | 'whileOpen'>(
  name: Name,
  fields: Fields,
): { [N in Name]?: boolean } {
  const value = fields[name];
  if (value === undefined) return {};
  if (typeof value !== 'boolean') throw malformed(`${name} of a redelivery`, value, 'true or false');
  return { [name]: value } as { [N in Name]?: boolean };
}

function wholeNumber(what: string, value: unknown, max: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= max) return value as number;
  throw malformed(what, value, `a whole number from 0 to ${max}`);
}

function atLeastOne(what: string, value: Version): Version {
  if (value >= 1) return value;
  throw malformed(what, value, 'a version of at least 1');
}

/** For log lines about messages that were not understood; best effort. */
function correlationIdOf(fields: Fields): string | undefined {
  const detail = fields.detail as Fields | null | undefined;
  const found = fields.correlationId ?? detail?.correlationId;
  return typeof found === 'string' ? found.slice(0, SHOWN_CORRELATION_LENGTH) : undefined;
}

const malformed = (what: string, got: unknown, allowed: string): InvalidInputError =>
  new InvalidInputError('MALFORMED_MESSAGE', {
    what,
    // Shortened here, so that an error does not carry a megabyte into the log.
    got: typeof got === 'object' || typeof got === 'string' ? shown(got) : got,
    allowed,
    remedy: 'find its sender; the dead-letter intake keeps the message',
  });

/** One code for whoever looks for malformed messages; the exact reason is the cause's. */
function asRefusal(error: unknown): EventRecoveryError {
  if (isEventRecoveryError(error) && PASSED_ON.has(error.code)) return error;
  return new EventRecoveryError('MALFORMED_MESSAGE', `malformed message: ${(error as Error).message}`, {
    cause: error,
    facts: isEventRecoveryError(error) ? { reason: error.code } : {},
  });
}

const PASSED_ON = new Set(['MALFORMED_MESSAGE', 'MISDIRECTED_MESSAGE', 'NEWER_FORMAT']);
