// One log page as an item: a compact JSON text with the stream ids and types of the page in dictionaries. Pure. What the
// text leaves out is derived: positions follow each other, and a stream's further commits in a page continue its first.
//
// Size: 400 KB (409,600 bytes) is DynamoDB's item limit. A page of several commits stops at PAGE_MAX_BYTES (64 KB: one
// `entryAt` reads at most 16 RCU). A page of ONE commit is always allowed: at most 1,000 events with 1,000 different
// types of 128 bytes, every character escaped: 1,000 x (2 x 128 + 3 + 5) + 1,000 = 265,000 bytes.

import { EventRecoveryError } from '../../model/errors.ts';
import { readableFormat } from '../../model/format.ts';
import type { Position, StreamId, Version } from '../../model/ids.ts';
import type { DirectoryEntry, LogEntry, LogPage } from './port.ts';

/** Version of the page layout. Version N reads N-1. */
export const PAGE_FORMAT = 1;
/** TransactWriteItems takes 100 actions (AWS: Service quotas, DynamoDB): the page and 99 directory items. */
export const PAGE_MAX_STREAMS = 99;
/** Bound on the text of a page that holds more than one commit. */
export const PAGE_MAX_BYTES = 64 * 1024;
/** First hex digits of a commit's hash that the log keeps: 64 bits. */
export const HASH_PREFIX_LENGTH = 16;

export type UnplacedEntry = Omit<LogEntry, 'position' | 'previousPosition'>;

/** `[stream id, version of its first commit in this page, position of its commit before this page]` */
type StreamCode = [string, number, number];
/** `[index of stream, index of type or indexes of types, recordedAt - base, hash prefix]` */
type CommitCode = [number, number | number[], number, string];

interface PageText {
  streams: StreamCode[];
  types: string[];
  recordedAt: number;
  commits: CommitCode[];
}

export interface PageItem {
  firstPosition: number;
  lastPosition: number;
  sequencedAt: number;
  entries: string;
  format: number;
}

/** Gives the entries their positions: contiguous after `head`, each entry linked to its stream's previous commit. */
export function placeEntries(input: {
  head: Position;
  entries: readonly UnplacedEntry[];
  expected: ReadonlyMap<StreamId, DirectoryEntry>;
  sequencedAt: number;
}): LogPage {
  const heads = new Map<StreamId, { version: number; position: number }>();
  let next = input.head + 1;
  const entries = input.entries.map((entry): LogEntry => {
    const before = heads.get(entry.streamId) ?? input.expected.get(entry.streamId) ?? { version: 0, position: 0 };
    if (entry.version !== before.version + 1 || entry.count < 1 || entry.types.length !== entry.count) {
      throw new EventRecoveryError(
        'LOG_SEQUENCE_INVALID',
        `commit ${entry.streamId}@${entry.version} (${entry.count} events, ${entry.types.length} types) cannot follow version ${before.version}; remedy: report a bug of the relay`,
        { facts: { streamId: entry.streamId, version: entry.version, after: before.version } },
      );
    }
    const placed = { ...entry, position: next as Position, previousPosition: before.position as Position };
    heads.set(entry.streamId, { version: entry.version + entry.count - 1, position: next });
    next += entry.count;
    return placed;
  });
  return {
    firstPosition: (input.head + 1) as Position,
    lastPosition: (next - 1) as Position,
    sequencedAt: input.sequencedAt,
    entries,
  };
}

/** How many of the entries, from the first on, go into one page. At least 1 when there is one. */
export function entriesOfOnePage(
  entries: readonly UnplacedEntry[],
  limits: { maxStreams?: number; maxBytes?: number } = {},
): number {
  const maxStreams = limits.maxStreams ?? PAGE_MAX_STREAMS;
  const maxBytes = limits.maxBytes ?? PAGE_MAX_BYTES;
  const streams = new Set<string>();
  const types = new Set<string>();
  let bytes = PAGE_FRAME_BYTES;
  for (const [index, entry] of entries.entries()) {
    if (!streams.has(entry.streamId)) {
      streams.add(entry.streamId);
      bytes += jsonBytes(entry.streamId) + STREAM_CODE_BYTES;
    }
    for (const type of entry.types) {
      if (types.has(type)) continue;
      types.add(type);
      bytes += jsonBytes(type) + 1;
    }
    bytes += COMMIT_CODE_BYTES + entry.types.length * TYPE_INDEX_BYTES;
    if (index > 0 && (streams.size > maxStreams || bytes > maxBytes)) return index;
  }
  return entries.length;
}

// Upper bounds of the parts of the text, in bytes. Numbers have at most 16 digits.
const PAGE_FRAME_BYTES = 80;
const STREAM_CODE_BYTES = 2 * 16 + 5;
const TYPE_INDEX_BYTES = 6;
const COMMIT_CODE_BYTES = 16 + 16 + HASH_PREFIX_LENGTH + 2 + 8;
const jsonBytes = (text: string): number => Buffer.byteLength(JSON.stringify(text));

export function encodePage(page: LogPage): PageItem {
  const streams = dictionary<StreamCode>();
  const types = dictionary<string>();
  const recordedAt = Math.min(...page.entries.map((entry) => entry.recordedAt));
  const commits = page.entries.map((entry): CommitCode => {
    const codes = entry.types.map((type) => types.indexOf(type, type));
    return [
      streams.indexOf(entry.streamId, [entry.streamId, entry.version, entry.previousPosition]),
      codes.length === 1 ? (codes[0] as number) : codes,
      entry.recordedAt - recordedAt,
      entry.hashPrefix,
    ];
  });
  const text: PageText = { streams: streams.values, types: types.values, recordedAt, commits };
  return {
    firstPosition: page.firstPosition,
    lastPosition: page.lastPosition,
    sequencedAt: page.sequencedAt,
    entries: JSON.stringify(text),
    format: PAGE_FORMAT,
  };
}

/**
 * @throws EventRecoveryError `LOG_DAMAGED` when the item is not a page that this layout can hold
 * @throws EventRecoveryError `NEWER_FORMAT` (retryable), InvalidInputError `INVALID_FORMAT`
 */
export function decodePage(item: Record<string, unknown>): LogPage {
  const { firstPosition, lastPosition, sequencedAt, format } = item as Record<string, number>;
  readableFormat('log page', format, PAGE_FORMAT);
  const text = parseText(item);
  const next = text.streams.map(([, version, previousPosition]) => ({ version, previousPosition }));
  let position = firstPosition as number;
  const entries = text.commits.map(([streamIndex, typeCode, recordedAfter, hashPrefix]): LogEntry => {
    const stream = next[streamIndex];
    const types = (Array.isArray(typeCode) ? typeCode : [typeCode]).map((code) => text.types[code]);
    if (stream === undefined || types.includes(undefined)) throw damaged(item, 'a code is not in its dictionary');
    const entry = {
      streamId: text.streams[streamIndex]?.[0] as StreamId,
      version: stream.version as Version,
      count: types.length,
      position: position as Position,
      recordedAt: text.recordedAt + recordedAfter,
      types: types as string[],
      hashPrefix,
      previousPosition: stream.previousPosition as Position,
    };
    stream.version += entry.count;
    stream.previousPosition = position;
    position += entry.count;
    return entry;
  });
  if (position - 1 !== lastPosition) throw damaged(item, `its entries end at position ${position - 1}`);
  return {
    firstPosition: firstPosition as Position,
    lastPosition: lastPosition as Position,
    sequencedAt: sequencedAt as number,
    entries,
  };
}

function parseText(item: Record<string, unknown>): PageText {
  try {
    const text = JSON.parse(item.entries as string) as PageText;
    if ([text.streams, text.types, text.commits].every(Array.isArray) && Number.isFinite(text.recordedAt)) return text;
  } catch {
    // Falls through: not JSON is damage like any other.
  }
  throw damaged(item, 'its entries are not the JSON text of a page');
}

const damaged = (item: Record<string, unknown>, damage: string): EventRecoveryError =>
  new EventRecoveryError(
    'LOG_DAMAGED',
    `log page ${String(item.firstPosition)}..${String(item.lastPosition)}: ${damage}; remedy: npx event-recovery verify`,
    { facts: { firstPosition: item.firstPosition, lastPosition: item.lastPosition, damage } },
  );

function dictionary<Value>() {
  const indexes = new Map<string, number>();
  const values: Value[] = [];
  return {
    values,
    indexOf(key: string, value: Value): number {
      const known = indexes.get(key);
      if (known !== undefined) return known;
      indexes.set(key, values.length);
      return values.push(value) - 1;
    },
  };
}
