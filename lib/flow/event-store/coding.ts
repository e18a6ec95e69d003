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

/** What `encodeEvents` was given, without the defaults that it left out. */
export const eventsIn = ({ text }: Pick<EventsText, 'text'>): CheckedEvent[] => JSON.parse(text) as CheckedEvent[];

/** The part of a commit that the choice of the coding depends on. */
export type CommitHeader = Pick<StoredCommit, 'streamId' | 'version' | 'count' | 'format' | 'recordedAt'>;

export interface CodedEvents {
  encoding: CommitEncoding;
  events: string | Uint8Array;
  /** Of the whole item, as DynamoDB counts it. */
  itemBytes: number;
}

/** RFC 7932: windows of 2^10 to 2^24 bytes; 2^22 is the library's default. */
const WINDOW_BITS = { min: 10, max: 22 };
const OUTPUT_CHUNK_BYTES = { min: 64, max: 65_536 };

/**
 * Brotli qualities, measured on webhook payloads of 1 KB to 27 KB: `small` takes 2 to 3 times as long as `fast` for 8 to
 * 13 % fewer bytes; quality 9 takes 20 times as long as `small` for 4 % fewer.
 */
const QUALITIES = { fast: 2, small: 5 } as const;
type Effort = keyof typeof QUALITIES;
/** What `small` can save on top of `fast`; where that cannot lower the units, the time is better saved. */
const SMALL_SAVES = 0.13;
/** From this size on `small` nearly always saves a unit: `fast` is not tried first. */
const LARGE_TEXT_BYTES = 32_768;

/** The text with its Brotli bytes, made once for each effort and only when they are asked for. */
export interface EventsText {
  text: string;
  textBytes: number;
  compressed(effort: Effort): Uint8Array;
}

export function eventsText(text: string): EventsText {
  const textBytes = Buffer.byteLength(text);
  const made = new Map<Effort, Uint8Array>();
  return {
    text,
    textBytes,
    compressed(effort) {
      const bytes = made.get(effort) ?? compress(text, textBytes, QUALITIES[effort]);
      made.set(effort, bytes);
      return bytes;
    },
  };
}

/** Synchronous, so that nothing waits for real threads: 20 to 60 us for 3 KB, 4 ms for 400 KB. */
function compress(text: string, textBytes: number, quality: number): Uint8Array {
  // Tables and buffers no larger than the text needs: for a commit of 3 KB that halves the time.
  const windowBits = Math.ceil(Math.log2(textBytes + 16));
  return brotliCompressSync(text, {
    chunkSize: clamp(textBytes, OUTPUT_CHUNK_BYTES),
    params: {
      [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
      [constants.BROTLI_PARAM_QUALITY]: quality,
      [constants.BROTLI_PARAM_LGWIN]: clamp(windowBits, WINDOW_BITS),
      [constants.BROTLI_PARAM_SIZE_HINT]: textBytes,
    },
  });
}

const clamp = (value: number, { min, max }: { min: number; max: number }): number =>
  Math.min(max, Math.max(min, value));

/** Brotli only when the item then costs fewer write units: ceil(bytes / 1,024). */
export function codeEvents(header: CommitHeader, source: EventsText): CodedEvents {
  const coded = (encoding: CommitEncoding, events: string | Uint8Array): CodedEvents => ({
    encoding,
    events,
    itemBytes: itemSize({ ...header, encoding, events, previousHash: GENESIS_HASH, hash: GENESIS_HASH }),
  });
  const json = coded('json', source.text);
  if (json.itemBytes <= WRITE_UNIT_BYTES) return json;
  if (source.textBytes >= LARGE_TEXT_BYTES) return cheaper(json, coded('br', source.compressed('small')));
  const fast = coded('br', source.compressed('fast'));
  const best = cheaper(json, fast);
  const mightBe = fast.itemBytes - SMALL_SAVES * fast.events.length;
  if (writeUnits(mightBe) >= writeUnits(best.itemBytes)) return best;
  return cheaper(best, coded('br', source.compressed('small')));
}

/** The first one, unless the second one takes fewer write units. */
const cheaper = (first: CodedEvents, second: CodedEvents): CodedEvents =>
  writeUnits(second.itemBytes) < writeUnits(first.itemBytes) ? second : first;

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
