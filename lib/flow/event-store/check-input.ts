// What callers give to the event store, checked before anything is read or written. Every refusal is an InvalidInputError
// with a code of its own that says what, got, allowed and remedy. Pure and synchronous: a caller that changes its objects
// after the call changes nothing.

import { InvalidInputError, shown } from '../../model/errors.ts';
import type { Json, NewEvent } from '../../model/event.ts';
import { type EventId, type EventType, eventId, eventType, type StreamId, streamId } from '../../model/ids.ts';
import { findNotJson, type NotJson } from './check-json.ts';
import { COMMIT_MAX_EVENTS, COMMIT_MAX_TEXT_BYTES, DATA_MAX_DEPTH, TRACING_ID_MAX_BYTES } from './limits.ts';
import type { AppendOptions, ExpectedVersion } from './port.ts';

/** A new event after the checks. What was not given is absent: readers fill it in from id and `recordedAt`. */
export interface CheckedEvent {
  id: EventId;
  type: EventType;
  data: Json;
  /** ISO 8601 in UTC, milliseconds. */
  timestamp?: string;
  correlationId?: string;
  causationId?: string;
}

export interface CheckedAppend {
  streamId: StreamId;
  events: CheckedEvent[];
  expected: ExpectedVersion;
}

/**
 * @throws InvalidInputError `INVALID_STREAM_ID`, `INVALID_EXPECTED_VERSION`, `EMPTY_APPEND`, `TOO_MANY_EVENTS`,
 * `INVALID_EVENT`, `INVALID_EVENT_ID`, `INVALID_EVENT_TYPE`, `DUPLICATE_EVENT_ID`, `DATA_NOT_JSON`, `INVALID_TIMESTAMP`,
 * `INVALID_CORRELATION_ID`, `INVALID_CAUSATION_ID`, `COMMIT_TOO_LARGE`
 */
export function checkAppend(
  rawStreamId: unknown,
  rawEvents: unknown,
  rawExpected: unknown,
  options: AppendOptions = {},
): CheckedAppend {
  const id = streamId(rawStreamId);
  const expected = checkExpectedVersion(rawExpected);
  const rawList = checkCount(rawEvents);
  const defaults = {
    correlationId: checkTracingId(options.correlationId, 'options.correlationId', 'INVALID_CORRELATION_ID'),
    causationId: checkTracingId(options.causationId, 'options.causationId', 'INVALID_CAUSATION_ID'),
  };
  const limits = { maxDepth: DATA_MAX_DEPTH, maxBytes: COMMIT_MAX_TEXT_BYTES };
  const events = rawList.map((raw, index) => checkEvent(raw, `events[${index}]`, defaults, limits));
  checkIdsDiffer(events);
  return { streamId: id, events, expected };
}

export function checkExpectedVersion(raw: unknown): ExpectedVersion {
  if (raw === 'no-stream' || raw === 'stream-exists' || raw === 'any') return raw;
  if (Number.isSafeInteger(raw) && (raw as number) >= 0) return raw as number;
  throw new InvalidInputError('INVALID_EXPECTED_VERSION', {
    what: 'expected version',
    got: raw,
    allowed: 'a whole number from 0, or "no-stream", "stream-exists" or "any"',
    remedy: "pass the version of the last event that the decision was based on, for example the last read event's",
  });
}

function checkCount(raw: unknown): readonly unknown[] {
  if (!Array.isArray(raw)) {
    throw new InvalidInputError('INVALID_EVENTS', {
      what: 'events',
      got: raw,
      allowed: `an array of 1 to ${COMMIT_MAX_EVENTS} events`,
      remedy: 'pass an array, also for one event',
    });
  }
  if (raw.length === 0) {
    throw new InvalidInputError('EMPTY_APPEND', {
      what: 'number of events',
      got: 0,
      allowed: `1 to ${COMMIT_MAX_EVENTS}`,
      remedy: 'do not call append when there is nothing to append',
    });
  }
  if (raw.length > COMMIT_MAX_EVENTS) {
    throw new InvalidInputError('TOO_MANY_EVENTS', {
      what: 'number of events',
      got: raw.length,
      allowed: `1 to ${COMMIT_MAX_EVENTS}`,
      remedy: 'append them in several calls, each with the version that the one before it returned',
    });
  }
  return raw;
}

interface Defaults {
  correlationId?: string | undefined;
  causationId?: string | undefined;
}

function checkEvent(
  raw: unknown,
  place: string,
  defaults: Defaults,
  limits: Parameters<typeof findNotJson>[2],
): CheckedEvent {
  if (typeof raw !== 'object' || raw === null) {
    throw new InvalidInputError('INVALID_EVENT', {
      what: place,
      got: raw,
      allowed: 'an object with id, type, data and optional metadata',
      remedy: 'pass { id, type, data }',
    });
  }
  const { id, type, data, metadata = {} } = raw as NewEvent;
  const finding = findNotJson(data, `${place}.data`, limits);
  if (finding !== undefined) throw notJson(finding);
  if (typeof metadata !== 'object' || metadata === null) {
    throw new InvalidInputError('INVALID_EVENT', {
      what: `${place}.metadata`,
      got: metadata,
      allowed: 'an object with timestamp, correlationId and causationId, each optional, or nothing',
      remedy: 'leave metadata out',
    });
  }
  const correlationId =
    checkTracingId(metadata.correlationId, `${place}.metadata.correlationId`, 'INVALID_CORRELATION_ID') ??
    defaults.correlationId;
  const causationId =
    checkTracingId(metadata.causationId, `${place}.metadata.causationId`, 'INVALID_CAUSATION_ID') ??
    defaults.causationId;
  const timestamp = checkTimestamp(metadata.timestamp, `${place}.metadata.timestamp`);
  return {
    id: eventId(id),
    type: eventType(type),
    data,
    ...(timestamp !== undefined && { timestamp }),
    ...(correlationId !== undefined && { correlationId }),
    ...(causationId !== undefined && { causationId }),
  };
}

function notJson({ kind, path, got, what }: NotJson): InvalidInputError {
  if (kind === 'too-large') {
    return new InvalidInputError('COMMIT_TOO_LARGE', {
      what: `size of ${path}`,
      got: what,
      allowed: `${COMMIT_MAX_TEXT_BYTES} bytes of JSON text for all events of one append, and 409,600 bytes as it is stored`,
      remedy: 'store the large part in S3 and put its key into the event',
    });
  }
  return new InvalidInputError('DATA_NOT_JSON', {
    what: path,
    got: kind === 'too-deep' ? what : `${what}${shownIn(got)}`,
    allowed: `null, booleans, finite numbers, strings, arrays and plain objects, at most ${DATA_MAX_DEPTH} levels deep`,
    remedy: 'turn it into JSON first: leave undefined out, dates as ISO strings, big numbers as strings',
  });
}

/** A short hint at the value, for kinds whose name does not say it already. */
const shownIn = (got: unknown): string => (typeof got === 'bigint' ? ` (${shown(got)})` : '');

const ISO_TIME = /^[+-]?\d{4,6}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;

function checkTimestamp(raw: unknown, what: string): string | undefined {
  if (raw === undefined) return undefined;
  const ms = typeof raw === 'string' && ISO_TIME.test(raw) ? Date.parse(raw) : timeOf(raw);
  if (Number.isFinite(ms)) return new Date(ms).toISOString();
  throw new InvalidInputError('INVALID_TIMESTAMP', {
    what,
    got: Object.prototype.toString.call(raw) === '[object Date]' ? 'an invalid Date' : raw,
    allowed: 'a valid Date or an ISO 8601 string with a time zone, for example "2025-01-31T09:30:00Z"',
    remedy: 'leave it out: then it is the time of the append',
  });
}

const timeOf = (raw: unknown): number =>
  Object.prototype.toString.call(raw) === '[object Date]' ? (raw as Date).getTime() : Number.NaN;

// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is the purpose
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f]/;

function checkTracingId(raw: unknown, what: string, code: string): string | undefined {
  if (raw === undefined) return undefined;
  const ok =
    typeof raw === 'string' &&
    raw.length > 0 &&
    raw.isWellFormed() &&
    Buffer.byteLength(raw) <= TRACING_ID_MAX_BYTES &&
    !CONTROL_CHARACTERS.test(raw);
  if (ok) return raw;
  throw new InvalidInputError(code, {
    what,
    got: raw,
    allowed: `a well-formed string of 1 to ${TRACING_ID_MAX_BYTES} UTF-8 bytes without control characters`,
    remedy: 'leave it out, or pass a shorter id',
  });
}

function checkIdsDiffer(events: readonly CheckedEvent[]): void {
  const seen = new Map<string, number>();
  for (const [index, { id }] of events.entries()) {
    const before = seen.get(id);
    if (before !== undefined) {
      throw new InvalidInputError('DUPLICATE_EVENT_ID', {
        what: `events[${index}].id`,
        got: id,
        allowed: `an id that no other event of the append has; events[${before}] has it already`,
        remedy: 'give every event an id of its own, for example a UUID',
      });
    }
    seen.set(id, index);
  }
}
