// The event store as producers and consumers see it. Guarantees: an append is atomic and conditional; a retry of an
// append is recognised; what is read was verified against its hash; a damaged stream is never extended.

import type { Commit } from '../../model/commit.ts';
import type { Event, NewEvent } from '../../model/event.ts';
import type { Position, StreamId, Version } from '../../model/ids.ts';

/** `'any'` appends at the head, whatever it is; across calls it promises nothing about repeats. */
export type ExpectedVersion = number | 'no-stream' | 'stream-exists' | 'any';

export interface AppendOptions {
  /** Default for events without their own. */
  correlationId?: string;
  causationId?: string;
  signal?: AbortSignal;
}

export interface AppendResult {
  streamId: StreamId;
  /** Version of the first and of the last event of this append. */
  firstVersion: Version;
  version: Version;
  hash: string;
  recordedAt: number;
  /** True when an earlier try of this same append had already succeeded. */
  repeated: boolean;
}

export interface ReadOptions {
  /** @default 'forwards' */
  direction?: 'forwards' | 'backwards';
  /** Most events to return. @default no limit */
  limit?: number;
  /** @default true: reads see every acknowledged append */
  consistent?: boolean;
}

export interface EventStore {
  append(
    streamId: string,
    events: readonly NewEvent[],
    expectedVersion: ExpectedVersion,
    options?: AppendOptions,
  ): Promise<AppendResult>;
  /** Events from `fromVersion` on (also from the middle of a commit). Past the end: an empty array. */
  read(streamId: string, fromVersion?: number, options?: ReadOptions): Promise<Event[]>;
  /** The same, page by page, for streams that do not fit into memory. */
  readStream(streamId: string, fromVersion?: number, options?: ReadOptions): AsyncIterable<Event>;
  /** Whole verified commits, beginning with the one that contains `fromVersion`. */
  readCommits(streamId: string, fromVersion?: number, options?: ReadOptions): AsyncIterable<Commit>;
  /** The same, those of one request at a time: for who reads long streams. Never an empty page. */
  readCommitPages(streamId: string, fromVersion?: number, options?: ReadOptions): AsyncIterable<Commit[]>;
  /** Version of the last stored event; 0 for an empty stream. */
  getVersion(streamId: string): Promise<Version>;
  /** Events with `from <= recordedAt <= to` of one stream, in version order. */
  readByTimeRange(streamId: string, from: Date, to: Date): Promise<Event[]>;
  /** Events with position > fromPosition, at most `batchSize` (1 to 1,000), in log order, with `metadata.position`. */
  readAll(fromPosition: number, batchSize: number): Promise<Event[]>;
}

export type { Position };
