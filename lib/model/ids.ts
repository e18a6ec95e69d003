// The identifiers of the house as branded types, with the one function that lets a raw value become one.
// A brand is proof that the limits below were checked; nothing else in the code checks them again.

import { InvalidInputError } from './errors.ts';

declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** Name of one entity's ordered events. 1 to 256 UTF-8 bytes, no control characters, no leading `$` (reserved). */
export type StreamId = Brand<string, 'StreamId'>;
/** 1-based place of an event in its stream; 0 means "empty stream". A safe integer. */
export type Version = Brand<number, 'Version'>;
/** 1-based place of an event in the log (`$all`); 0 means "before the first". A safe integer. */
export type Position = Brand<number, 'Position'>;
/** Identity of an event, unique inside its stream. 1 to 128 UTF-8 bytes, no control characters. */
export type EventId = Brand<string, 'EventId'>;
/** Name of an event type. 1 to 128 characters (EventBridge's limit for `detail-type`), no leading `$`. */
export type EventType = Brand<string, 'EventType'>;
/** Name of a consumer: lower-case letters, digits and dashes, 1 to 48 characters, starts with a letter. */
export type ConsumerName = Brand<string, 'ConsumerName'>;

/** DynamoDB allows 2,048 bytes for a partition key; 256 keeps composite keys and log pages small. */
export const STREAM_ID_MAX_BYTES = 256;
export const EVENT_ID_MAX_BYTES = 128;
/** EventBridge PutEvents: `detail-type` has at most 128 characters. */
export const EVENT_TYPE_MAX_LENGTH = 128;
/** Streams of rehearsals; rules, scans and recoveries of real consumers leave them out. */
export const DRILL_STREAM_PREFIX = 'drill-';

// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is the purpose
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f]/;
const CONSUMER_NAME = /^[a-z][a-z0-9-]{0,47}$/;

/** @throws InvalidInputError `INVALID_STREAM_ID` */
export const streamId = (raw: unknown): StreamId =>
  checkText(raw, { what: 'stream id', code: 'INVALID_STREAM_ID', maxBytes: STREAM_ID_MAX_BYTES }) as StreamId;

/** @throws InvalidInputError `INVALID_EVENT_ID` */
export const eventId = (raw: unknown): EventId =>
  checkText(raw, { what: 'event id', code: 'INVALID_EVENT_ID', maxBytes: EVENT_ID_MAX_BYTES }) as EventId;

/** @throws InvalidInputError `INVALID_EVENT_TYPE` */
export const eventType = (raw: unknown): EventType =>
  checkText(raw, { what: 'event type', code: 'INVALID_EVENT_TYPE', maxBytes: EVENT_TYPE_MAX_LENGTH }) as EventType;

/** @throws InvalidInputError `INVALID_CONSUMER_NAME` */
export function consumerName(raw: unknown): ConsumerName {
  if (typeof raw === 'string' && CONSUMER_NAME.test(raw)) return raw as ConsumerName;
  throw new InvalidInputError('INVALID_CONSUMER_NAME', {
    what: 'consumer name',
    got: raw,
    allowed: 'a lower-case letter, then up to 47 lower-case letters, digits or dashes',
    remedy: 'rename the consumer, for example "order-mailer"',
  });
}

/** A version that may be 0 (empty stream). @throws InvalidInputError `INVALID_VERSION` */
export const version = (raw: unknown): Version => checkInteger(raw, 'version', 'INVALID_VERSION', 0) as Version;

/** A position that may be 0 (before the first). @throws InvalidInputError `INVALID_POSITION` */
export const position = (raw: unknown): Position => checkInteger(raw, 'position', 'INVALID_POSITION', 0) as Position;

interface TextRule {
  what: string;
  code: string;
  maxBytes: number;
}

function checkText(raw: unknown, { what, code, maxBytes }: TextRule): string {
  const allowed = `a string of 1 to ${maxBytes} UTF-8 bytes without control characters, well-formed, not starting with "$"`;
  const ok =
    typeof raw === 'string' &&
    raw.length > 0 &&
    raw.isWellFormed() &&
    Buffer.byteLength(raw) <= maxBytes &&
    !raw.startsWith('$') &&
    !CONTROL_CHARACTERS.test(raw);
  if (ok) return raw;
  throw new InvalidInputError(code, { what, got: raw, allowed, remedy: `pass another ${what}` });
}

function checkInteger(raw: unknown, what: string, code: string, min: number): number {
  if (Number.isSafeInteger(raw) && (raw as number) >= min) return raw as number;
  throw new InvalidInputError(code, {
    what,
    got: raw,
    allowed: `a whole number from ${min} to ${Number.MAX_SAFE_INTEGER}`,
    remedy: `pass a whole ${what} of at least ${min}`,
  });
}
