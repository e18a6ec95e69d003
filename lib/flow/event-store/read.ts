// Reads one stream, commit by commit: each is verified by its own hash and linked to the one read before it, without a hole,
// before anybody sees its events. Reading begins with the commit that contains the wanted version. Nothing is read ahead.

import { type Commit, lastVersion, type StoredCommit } from '../../model/commit.ts';
import { StreamDamagedError } from '../../model/errors.ts';
import type { Event } from '../../model/event.ts';
import type { StreamId } from '../../model/ids.ts';
import { createChainCheck } from './chain.ts';
import type { CheckedRead } from './check-reads.ts';
import type { CommitTable, RangeOptions } from './commit-table.ts';
import { verifyCommit } from './hash.ts';

/** Verified commits until `limit` events of the wanted range were in them. */
export async function* readCommits(table: CommitTable, read: CheckedRead): AsyncGenerator<Commit> {
  const check = createChainCheck(read.direction);
  let left = read.limit;
  let last: Commit | undefined;
  for await (const stored of storedCommits(table, read)) {
    const commit = verifyCommit(stored);
    check(commit);
    last = commit;
    yield commit;
    left -= eventsInRange(commit, read).length;
    if (left <= 0) return;
  }
  if (read.direction === 'backwards' && last !== undefined && last.version > 1) {
    throw new StreamDamagedError(read.streamId, last.version - 1, `no commit holds version ${last.version - 1}`);
  }
}

/** The same, event by event. */
export async function* readEvents(table: CommitTable, read: CheckedRead): AsyncGenerator<Event> {
  let left = read.limit;
  for await (const commit of readCommits(table, read)) {
    for (const event of eventsInRange(commit, read)) {
      yield event;
      left -= 1;
      if (left <= 0) return;
    }
  }
}

/** The commit's events in the order of reading, without those before the first wanted one. */
function eventsInRange(commit: Commit, { direction, fromVersion }: CheckedRead): Event[] {
  if (direction === 'forwards') return commit.events.slice(Math.max(0, (fromVersion ?? 1) - commit.version));
  const end = fromVersion === undefined ? commit.count : fromVersion - commit.version + 1;
  return commit.events.slice(0, end).reverse();
}

function storedCommits(table: CommitTable, read: CheckedRead): AsyncIterable<StoredCommit> {
  const { streamId, fromVersion, direction, limit, consistent } = read;
  // A commit has at least one event, so no more commits than events are needed.
  const options: RangeOptions = {
    consistent,
    ...(Number.isFinite(limit) && { pageSize: Math.min(limit, MAX_PAGE_SIZE) }),
  };
  if (direction === 'backwards') return table.readBackFrom(streamId, fromVersion, options);
  return forwards(table, read, fromVersion ?? 1, options);
}

/** More commits than this in one page of 1 MB would have less than 256 bytes each: an item has more. */
export const MAX_PAGE_SIZE = 4_096;

/**
 * Most reads begin where a commit begins: then the range is all. Otherwise the commit before the range is looked at: it
 * contains the wanted version, or it is the stream's last one, or there is a hole.
 */
async function* forwards(
  table: CommitTable,
  { streamId, consistent }: CheckedRead,
  fromVersion: number,
  options: RangeOptions,
): AsyncGenerator<StoredCommit> {
  const range = table.readFrom(streamId, fromVersion, options)[Symbol.asyncIterator]();
  try {
    let next = await range.next();
    const first: StoredCommit | undefined = next.done ? undefined : next.value;
    if (first?.version !== fromVersion) {
      const before =
        (await holding(table, streamId, fromVersion, consistent)) ??
        // Two eventually consistent reads may be answered by two replicas, the second one staler: no damage yet.
        (first === undefined || consistent ? undefined : await holding(table, streamId, fromVersion, true));
      if (before !== undefined) yield before;
      else if (first !== undefined) {
        const damage = `no commit holds version ${fromVersion}, the next one begins at version ${first.version}`;
        throw new StreamDamagedError(streamId, fromVersion, damage);
      }
    }
    while (!next.done) {
      yield next.value;
      next = await range.next();
    }
  } finally {
    await range.return?.();
  }
}

async function holding(
  table: CommitTable,
  streamId: StreamId,
  version: number,
  consistent: boolean,
): Promise<StoredCommit | undefined> {
  const stored = version > 1 ? await table.containing(streamId, version, { consistent }) : undefined;
  return stored !== undefined && lastVersion(verifyCommit(stored)) >= version ? stored : undefined;
}
