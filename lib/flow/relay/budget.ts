// How much of the Events table one invocation of the relay may read for backfills: commits, bytes and time. What is left
// over goes on in a wake-up of its own, so that one stream with a long past never holds up its shard.

import type { StoredCommit } from '../../model/commit.ts';
import { COMMIT_MAX_BYTES, COMMIT_MAX_TEXT_BYTES } from '../event-store/limits.ts';

export interface BackfillLimits {
  /** Commits of one stream. */
  streamCommits: number;
  /** Commits of all streams together. */
  commits: number;
  /** Bytes of all streams together, unpacked; they stay in memory until they are published. */
  bytes: number;
  /** Stop reading when less time than this is left, so that what was read can still be sequenced and published. */
  reserveMs: number;
}

/**
 * In a batch from the DynamoDB stream: 16 streams can read 250 commits each. 4,000 commits are 41 pages and 400 PutEvents
 * requests, about 4 s; 32 MB of text are about 100 MB of a function with 512 MB.
 */
export const BATCH_LIMITS: BackfillLimits = {
  streamCommits: 250,
  commits: 4_000,
  bytes: 32 * 1024 * 1024,
  reserveMs: 15_000,
};

/** In a continuation one stream has everything; 1,000 commits at a time keep the pages of other relays in between. */
export const CONTINUATION_LIMITS: BackfillLimits = {
  streamCommits: 1_000,
  commits: 1_000,
  bytes: 16 * 1024 * 1024,
  reserveMs: 15_000,
};

/** Brotli bytes count as the most that they may unpack to: the worst commit must not take the function's memory. */
const UNPACKED_PER_STORED = Math.ceil(COMMIT_MAX_TEXT_BYTES / COMMIT_MAX_BYTES);

export interface Budget {
  /** Takes one commit from the budget before it is read, because several streams read at once. False: stop here. */
  takeCommit(streamCommits: number): boolean;
  /** Counts the bytes of what was read; the commit that crosses the limit is the last. */
  countBytes(commit: Pick<StoredCommit, 'events' | 'encoding'>): void;
  /** Whether there is time to begin another round. */
  hasTime(): boolean;
}

export function createBudget(limits: BackfillLimits, remainingMs: () => number): Budget {
  let commits = 0;
  let bytes = 0;
  const hasTime = () => remainingMs() > limits.reserveMs;
  return {
    hasTime,
    takeCommit(streamCommits) {
      const isOver = streamCommits >= limits.streamCommits || commits >= limits.commits || bytes >= limits.bytes;
      if (isOver || !hasTime()) return false;
      commits += 1;
      return true;
    },
    countBytes({ events, encoding }) {
      bytes += events.length * (encoding === 'br' ? UNPACKED_PER_STORED : 1);
    },
  };
}
