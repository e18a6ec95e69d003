// The log: the ordered index of all commits, and the stream directory (the sequenced head of every stream). Written by
// the relay alone; read by scans, plans, replays and verifiers. Bodies stay in the Events table.

import type { Position, StreamId, Version } from '../../model/ids.ts';

/** One commit as the log knows it. */
export interface LogEntry {
  streamId: StreamId;
  version: Version;
  count: number;
  /** Position of its first event; the commit covers position .. position + count - 1. */
  position: Position;
  recordedAt: number;
  /** Type of each event, in order. */
  types: string[];
  /** First 16 hex digits of the commit's hash. */
  hashPrefix: string;
  /** Position of this stream's previous commit, 0 for its first. */
  previousPosition: Position;
}

export interface LogPage {
  firstPosition: Position;
  /** Position of the last event in the page. */
  lastPosition: Position;
  /** Milliseconds since 1970, by the relay that wrote it. */
  sequencedAt: number;
  entries: LogEntry[];
}

export interface DirectoryEntry {
  streamId: StreamId;
  /** Highest sequenced version. */
  version: Version;
  /** Position of the stream's last sequenced commit. */
  position: Position;
  hashPrefix: string;
  updatedAt: number;
}

export type SequenceResult =
  | { kind: 'sequenced'; page: LogPage }
  /**
   * Another relay was faster: re-read head and directory, rebuild the page, try again. `winner` is the page that stands
   * where ours would have: it says where the log goes on and which streams moved, without another read.
   */
  | { kind: 'lost-race'; winner?: LogPage };

export interface Log {
  /** Position of the last sequenced event, 0 when empty. `cached` may be old, never wrong: only for the relay. */
  head(options?: { cached?: boolean }): Promise<Position>;
  /** Sequenced head of each stream, consistent. Unknown streams are absent. */
  directory(streamIds: readonly StreamId[]): Promise<Map<StreamId, DirectoryEntry>>;
  /**
   * Pages that hold positions > fromPosition, in order. The first page may begin before fromPosition + 1.
   * @param options.readAhead for who goes on to the end: the next request is under way while an answer is worked on
   */
  pages(fromPosition: number, options?: { maxPages?: number; readAhead?: boolean }): AsyncIterable<LogPage>;
  /** The commit that covers this position, or undefined past the head. */
  entryAt(position: number): Promise<LogEntry | undefined>;
  /**
   * Entries of one stream from its head backwards, by `previousPosition`; bounded by the caller's `break`.
   * @param from position of its last entry, for those who do not trust the directory
   */
  streamEntriesBackwards(streamId: StreamId, from?: number): AsyncIterable<LogEntry>;
  /** Highest version of the stream whose position is <= position; 0 when none. */
  versionAtPosition(streamId: StreamId, position: Position): Promise<Version>;
  /** Put one page at head + 1 and move its streams' directory items, in one transaction (at most 99 streams). */
  sequence(input: {
    head: Position;
    entries: readonly Omit<LogEntry, 'position' | 'previousPosition'>[];
    expected: ReadonlyMap<StreamId, DirectoryEntry>;
    sequencedAt: number;
  }): Promise<SequenceResult>;
}
