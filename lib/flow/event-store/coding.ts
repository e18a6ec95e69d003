// Events as they are stored: one JSON text per commit, or its Brotli bytes when these save a write unit, so that small
// commits stay readable in the console. What was not given is not stored: a missing correlation id is the event's own id, a
// missing causation id the correlation id, a missing timestamp the commit's `recordedAt`. So the text depends on nothing but
// the append, and its retry makes the same text.

import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import { type CommitEncoding, GENESIS_HASH, type StoredCommit } from '../../model/commit.ts';
import type { Event, Json } from '../../model/event.ts';
import type { EventId, EventType, Version } from '../../model/ids.ts';
import { itemSize } from '../../platform/dynamodb/memory/size.ts';
import type { CheckedEvent } from './check-input.ts';
import { COMMIT_MAX_TEXT_BYTES, WRITE_UNIT_BYTES } from './limits.ts';

/** Element of the stored list. Absent fields have the defaults that are named above. */
export interface StoredEvent {
  id: string;
  type: string;
  timestamp?: string;
  correlationId?: string;
  causationId?: string;
  data: Json;
}

export function encodeEvents(events: readonly CheckedEvent[]): string {
  return JSON.stringify(
    events.map(
      ({ id, type, timestamp, correlationId = id, causationId = correlationId, data }): StoredEvent => ({
        id,
        type,
        ...(timestamp !== undefined && { timestamp }),
        ...(correlationId !== id && { correlationId }),
        ...(causationId !== correlationId && { causationId }),
        data,
      }),
    ),
  );
}

/** The part of a commit that the choice of the coding depends on. */
export type CommitHeader = Pick<StoredCommit, 'streamId' | 'version' | 'count' | 'format' | 'recordedAt'>;

export interface CodedEvents {
  encoding: CommitEncoding;
  events: string | Uint8Array;
  /** Of the whole item, as DynamoDB counts it. */
  itemBytes: number;
}

/** Measured on webhook payloads of 1 KB to 4 MB: quality 9 takes 2 to 30 times as long for at most 7 % fewer bytes. */
const BROTLI_QUALITY = 5;

/** The text with its Brotli bytes, made once and only when they are asked for. */
export interface EventsText {
  text: string;
  compressed(): Uint8Array;
}

export function eventsText(text: string): EventsText {
  let bytes: Uint8Array | undefined;
  const compress = () =>
    brotliCompressSync(text, {
      params: {
        [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
        [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
        [constants.BROTLI_PARAM_SIZE_HINT]: Buffer.byteLength(text),
      },
    });
  return {
    text,
    compressed: () => {
      bytes ??= compress();
      return bytes;
    },
  };
}

/** Brotli only when the item then costs fewer write units: ceil(bytes / 1,024). */
export function codeEvents(header: CommitHeader, source: EventsText): CodedEvents {
  const bytesOf = (encoding: CommitEncoding, events: string | Uint8Array) =>
    itemSize({ ...header, encoding, events, previousHash: GENESIS_HASH, hash: GENESIS_HASH });
  const json: CodedEvents = { encoding: 'json', events: source.text, itemBytes: bytesOf('json', source.text) };
  if (json.itemBytes <= WRITE_UNIT_BYTES) return json;
  const bytes = source.compressed();
  const brotli: CodedEvents = { encoding: 'br', events: bytes, itemBytes: bytesOf('br', bytes) };
  return writeUnits(brotli.itemBytes) < writeUnits(json.itemBytes) ? brotli : json;
}

export const writeUnits = (itemBytes: number): number => Math.ceil(itemBytes / WRITE_UNIT_BYTES);

/** @throws Error that says why the stored bytes are no list of `count` events */
export function decodeEvents(stored: StoredCommit): Event[] {
  const list: unknown = JSON.parse(textOf(stored));
  if (!Array.isArray(list) || list.length !== stored.count) {
    throw new Error(`the stored text is not a list of ${stored.count} events`);
  }
  return list.map((event, index) => decodeEvent(event, index, stored));
}

function textOf({ encoding, events }: StoredCommit): string {
  if (encoding === 'json') return events as string;
  return brotliDecompressSync(events as Uint8Array, { maxOutputLength: COMMIT_MAX_TEXT_BYTES }).toString('utf8');
}

function decodeEvent(raw: unknown, index: number, stored: StoredCommit): Event {
  const { id, type, timestamp, correlationId = id, causationId = correlationId, data } = (raw ?? {}) as StoredEvent;
  const time = timestamp === undefined ? stored.recordedAt : Date.parse(timestamp);
  if (typeof id !== 'string' || typeof type !== 'string' || data === undefined || !Number.isFinite(time)) {
    throw new Error(`event ${index + 1} of the stored list has no id, type, data or valid timestamp`);
  }
  return {
    id: id as EventId,
    streamId: stored.streamId,
    type: type as EventType,
    data,
    metadata: { timestamp: new Date(time), version: (stored.version + index) as Version, correlationId, causationId },
  };
}
