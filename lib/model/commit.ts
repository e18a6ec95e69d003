// The commit: all events of one append, stored as one item. The shape in which relay, scrub, restore and verify see it.

import type { Event } from './event.ts';
import type { StreamId, Version } from './ids.ts';

/** Version of the item layout. Version N reads N-1. */
export const COMMIT_FORMAT = 1;
/** `previousHash` of a stream's first commit. */
export const GENESIS_HASH = '0'.repeat(64);

export type CommitEncoding = 'json' | 'br';

/** The item of the Events table, exactly as stored. */
export interface StoredCommit {
  streamId: StreamId;
  /** Version of its first event. */
  version: Version;
  /** Number of events. */
  count: number;
  /** JSON text, or Brotli bytes when that saves a write unit. */
  events: string | Uint8Array;
  encoding: CommitEncoding;
  format: number;
  /** Milliseconds since 1970; never decreases inside a stream. */
  recordedAt: number;
  previousHash: string;
  /** SHA-256, 64 hex digits, over everything above. */
  hash: string;
}

/** A stored commit whose hash was checked, with its events decoded. */
export interface Commit extends Omit<StoredCommit, 'events' | 'encoding'> {
  events: Event[];
}

/** Version of the last event of a commit. */
export const lastVersion = (commit: { version: number; count: number }): Version =>
  (commit.version + commit.count - 1) as Version;
