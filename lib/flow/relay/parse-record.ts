// Reads one record of the DynamoDB stream, as Lambda delivers it, into a stored commit. Pure and defensive: whatever
// arrives, the answer is a value and never an exception, so that one bad record cannot take its batch along. Decides by
// the images and not by the event's name: names may be missing or unknown (TTL deletes of emulators), images do not lie.

import type { StoredCommit } from '../../model/commit.ts';
import { isEventRecoveryError } from '../../model/errors.ts';
import { STREAM_ID_MAX_BYTES, streamId, version } from '../../model/ids.ts';

export type ParsedRecord =
  | { kind: 'commit'; index: number; sequenceNumber: string; stored: StoredCommit }
  /** Nothing that the relay reads: a deletion, or an item of a reserved stream. */
  | { kind: 'ignored'; index: number; reason: 'removed' | 'reserved-stream'; streamId?: string; version?: number }
  | {
      kind: 'malformed';
      index: number;
      /** Absent when not even that could be read: then only the whole batch can be reported as failed. */
      sequenceNumber?: string;
      /** `$unknown` when not even the keys could be read. */
      streamId: string;
      version: number;
      problem: string;
    };

export const UNKNOWN_STREAM = '$unknown';

/** AttributeValue JSON: numbers are text, bytes are base64. */
type Image = Record<string, { S?: unknown; N?: unknown; B?: unknown } | undefined>;

export function parseRecord(raw: unknown, index: number): ParsedRecord {
  const record = objectOr(raw);
  const change = objectOr(record.dynamodb);
  const keys = keysOf(objectOr(change.Keys) as Image);
  const sequenceNumber = textOr(change.SequenceNumber);
  const malformed = (problem: string): ParsedRecord => ({
    kind: 'malformed',
    index,
    ...(sequenceNumber === undefined ? {} : { sequenceNumber }),
    streamId: keys.streamId ?? UNKNOWN_STREAM,
    version: keys.version ?? 0,
    problem,
  });

  if (!isObject(record.dynamodb)) return malformed('it has no "dynamodb" object');
  if (keys.streamId?.startsWith('$')) return { kind: 'ignored', index, reason: 'reserved-stream', ...keys };
  if (change.NewImage === undefined || change.NewImage === null) {
    const shouldHaveOne = record.eventName === 'INSERT' || record.eventName === 'MODIFY';
    if (shouldHaveOne) return malformed('it has no NewImage; the table needs the stream view type NEW_IMAGE');
    if (keys.streamId === undefined) return malformed('it has neither a NewImage nor readable Keys');
    return { kind: 'ignored', index, reason: 'removed', ...keys };
  }
  if (sequenceNumber === undefined) return malformed('it has no SequenceNumber');
  if (!isObject(change.NewImage)) return malformed('its NewImage is not an object');
  try {
    const stored = storedCommitOf(change.NewImage as Image);
    if (stored.streamId !== keys.streamId || stored.version !== keys.version) {
      return malformed('its NewImage and its Keys name different commits');
    }
    return { kind: 'commit', index, sequenceNumber, stored };
  } catch (error) {
    return malformed(isEventRecoveryError(error) || error instanceof Malformed ? error.message : 'it cannot be read');
  }
}

class Malformed extends Error {}

function storedCommitOf(image: Image): StoredCommit {
  const encoding = text(image, 'encoding');
  if (encoding !== 'json' && encoding !== 'br') throw new Malformed(`its encoding "${encoding}" is not json or br`);
  return {
    streamId: streamId(text(image, 'streamId')),
    version: positive(image, 'version') as StoredCommit['version'],
    count: positive(image, 'count'),
    events: encoding === 'json' ? text(image, 'events') : bytes(image, 'events'),
    encoding,
    format: positive(image, 'format'),
    recordedAt: number(image, 'recordedAt'),
    previousHash: hash(image, 'previousHash'),
    hash: hash(image, 'hash'),
  };
}

function text(image: Image, name: string): string {
  const value = image[name]?.S;
  if (typeof value !== 'string') throw new Malformed(`its ${name} is not a string`);
  return value;
}

function number(image: Image, name: string): number {
  const value = image[name]?.N;
  const parsed = typeof value === 'string' && value !== '' ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(parsed) || parsed < 0) throw new Malformed(`its ${name} is not a whole number from 0`);
  return parsed;
}

function positive(image: Image, name: string): number {
  const value = number(image, name);
  if (value < 1) throw new Malformed(`its ${name} is 0`);
  return value;
}

function bytes(image: Image, name: string): Uint8Array {
  const value = image[name]?.B;
  if (value instanceof Uint8Array) return value;
  if (typeof value !== 'string') throw new Malformed(`its ${name} is not bytes`);
  return new Uint8Array(Buffer.from(value, 'base64'));
}

const HASH = /^[0-9a-f]{64}$/;

function hash(image: Image, name: string): string {
  const value = text(image, name);
  if (!HASH.test(value)) throw new Malformed(`its ${name} is not 64 hex digits`);
  return value;
}

/** What can be read of the keys, for the incident of a record that cannot be read. */
function keysOf(keys: Image): { streamId?: string; version?: number } {
  const id = textOr(keys.streamId?.S);
  const parsed = Number(textOr(keys.version?.N) ?? Number.NaN);
  return {
    ...(id === undefined || Buffer.byteLength(id) > STREAM_ID_MAX_BYTES ? {} : { streamId: id }),
    ...(Number.isSafeInteger(parsed) && parsed >= 0 ? { version: version(parsed) } : {}),
  };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const objectOr = (value: unknown): Record<string, unknown> => (isObject(value) ? value : {});
const textOr = (value: unknown): string | undefined =>
  typeof value === 'string' && value.length > 0 ? value : undefined;
