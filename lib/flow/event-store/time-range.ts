// Finds the events of a time range by binary search: `recordedAt` never decreases inside a stream, so the first commit of
// the range takes O(log n) reads, whatever the length of the stream. Every commit that the search looks at is verified.

import { type Commit, lastVersion } from '../../model/commit.ts';
import { StreamDamagedError } from '../../model/errors.ts';
import type { Event } from '../../model/event.ts';
import type { StreamId, Version } from '../../model/ids.ts';
import type { CommitTable } from './commit-table.ts';
import { verifyCommit } from './hash.ts';
import { readCommits } from './read.ts';

export async function readByTimeRange(
  table: CommitTable,
  streamId: StreamId,
  { fromMs, toMs }: { fromMs: number; toMs: number },
): Promise<Event[]> {
  const events: Event[] = [];
  const fromVersion = await firstVersionAt(table, streamId, fromMs);
  if (fromVersion === undefined) return events;
  const read = {
    streamId,
    fromVersion,
    direction: 'forwards',
    limit: Number.POSITIVE_INFINITY,
    consistent: true,
  } as const;
  for await (const commit of readCommits(table, () => read)) {
    if (commit.recordedAt > toMs) break;
    events.push(...commit.events);
  }
  return events;
}

/** First version of the first commit with `recordedAt >= ms`; undefined when there is none. */
async function firstVersionAt(table: CommitTable, streamId: StreamId, ms: number): Promise<Version | undefined> {
  const last = await table.last(streamId);
  if (last === undefined || verifyCommit(last).recordedAt < ms) return undefined;
  // `found` is a commit at or after the time; everything below `low` is before it.
  let found = last.version;
  let low = 1;
  while (low < found) {
    const middle = Math.floor((low + found - 1) / 2);
    const commit = await holding(table, streamId, middle);
    if (commit.recordedAt >= ms) found = commit.version;
    else low = lastVersion(commit) + 1;
  }
  return found;
}

async function holding(table: CommitTable, streamId: StreamId, version: number): Promise<Commit> {
  const stored = await table.containing(streamId, version);
  const commit = stored && verifyCommit(stored);
  if (commit !== undefined && lastVersion(commit) >= version) return commit;
  throw new StreamDamagedError(streamId, version, `no commit holds version ${version}`);
}
