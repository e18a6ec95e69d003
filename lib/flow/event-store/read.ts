// Reads one stream, commit by commit: each is verified by its own hash and linked to the one read before it, without a hole,
// before anybody sees its events. Reading begins with the commit that contains the wanted version. Nothing is read ahead.
// Commits come by the page: handing over each one by itself costs a long stream more than a few turns of the loop.

import { type Commit, lastVersion, type StoredCommit } from '../../model/commit.ts';
import { StreamDamagedError } from '../../model/errors.ts';
import type { Event } from '../../model/event.ts';
import type { StreamId, Version } from '../../model/ids.ts';
import { createChainCheck } from './chain.ts';
import type { CheckedRead } from './check-reads.ts';
import type { CommitTable, RangeOptions } from './commit-table.ts';
import { verifyCommit } from './hash.ts';

/**
 * Verified commits until `limit` events of the wanted range were in them, those of one request at a time. `check` is called
 * when the iteration begins: bad input is a rejection then. What comes before damage is handed out before it is thrown.
 */
export async function* readCommitPages(table: CommitTable, check: () => CheckedRead): AsyncGenerator<Commit[]> {
  const read = check();
  const follows = createChainCheck(read.direction);
  let left = read.limit;
  let last: Commit | undefined;
  const verify = (stored: readonly StoredCommit[]): { commits: Commit[]; damage?: unknown } => {
    const commits: Commit[] = [];
    try {
      for (const one of stored) {
        if (left <= 0) break;
        last = verifyCommit(one);
        follows(last);
        left -= countInRange(last, read);
        commits.push(last);
      }
    } catch (damage) {
      return { commits, damage };
    }
    return { commits };
  };
  for await (const stored of pagesOf(table, read)) {
    const { commits, damage } = verify(stored);
    if (commits.length > 0) yield commits;
    if (damage !== undefined) throw damage;
    if (left <= 0) return;
  }
  if (read.direction === 'backwards' && last !== undefined && last.version > 1) {
    throw new StreamDamagedError(read.streamId, last.version - 1, `no commit holds version ${last.version - 1}`);
  }
}

/** The same, commit by commit. */
export async function* readCommits(table: CommitTable, check: () => CheckedRead): AsyncGenerator<Commit> {
  for await (const commits of readCommitPages(table, check)) for (const commit of commits) yield commit;
}

/** The same, event by event. */
export async function* readEvents(table: CommitTable, check: () => CheckedRead): AsyncGenerator<Event> {
  const read = check();
  let left = read.limit;
  for await (const commits of readCommitPages(table, () => read)) {
    for (const commit of commits) {
      for (const event of eventsInRange(commit, read)) {
        yield event;
        left -= 1;
        if (left <= 0) return;
      }
    }
  }
}

/** The commit's events in the order of reading, without those before the first wanted one. */
function eventsInRange(commit: Commit, { direction, fromVersion }: CheckedRead): Event[] {
  if (direction === 'forwards') return commit.events.slice(Math.max(0, (fromVersion ?? 1) - commit.version));
  const end = fromVersion === undefined ? commit.count : fromVersion - commit.version + 1;
  return commit.events.slice(0, end).reverse();
}

function countInRange({ version, count }: Commit, { direction, fromVersion }: CheckedRead): number {
  if (direction === 'forwards') return count - Math.max(0, (fromVersion ?? 1) - version);
  return fromVersion === undefined ? count : Math.min(count, fromVersion - version + 1);
}

function rangeOf(
  table: CommitTable,
  { streamId, fromVersion, direction, limit, consistent }: CheckedRead,
): AsyncIterable<StoredCommit[]> {
  // A commit has at least one event, so no more commits than events are needed.
  const options: RangeOptions = {
    consistent,
    ...(Number.isFinite(limit) && { pageSize: Math.min(limit, MAX_PAGE_SIZE) }),
  };
  if (direction === 'backwards') return table.readBackFrom(streamId, fromVersion, options);
  return table.readFrom(streamId, fromVersion ?? 1, options);
}

/** More commits than this in one page of 1 MB would have less than 256 bytes each: an item has more. */
export const MAX_PAGE_SIZE = 4_096;

/** The pages of the range, and before them the commit that contains the range's beginning, where that one begins earlier. */
async function* pagesOf(table: CommitTable, read: CheckedRead): AsyncGenerator<StoredCommit[]> {
  let isBegun = false;
  for await (const page of rangeOf(table, read)) {
    const before = isBegun || page.length === 0 ? undefined : await commitBefore(table, read, page[0]);
    isBegun ||= page.length > 0;
    yield before === undefined ? page : [before, ...page];
  }
  const before = isBegun ? undefined : await commitBefore(table, read, undefined);
  if (before !== undefined) yield [before];
}

/**
 * Most forward reads begin where a commit begins: then the range is all. Otherwise the commit before the range is looked at:
 * it contains the wanted version, or it is the stream's last one, or there is a hole.
 */
async function commitBefore(
  table: CommitTable,
  { streamId, fromVersion = 1 as Version, direction, consistent }: CheckedRead,
  first: StoredCommit | undefined,
): Promise<StoredCommit | undefined> {
  if (direction === 'backwards' || first?.version === fromVersion) return undefined;
  const before =
    (await holding(table, streamId, fromVersion, consistent)) ??
    // Two eventually consistent reads may be answered by two replicas, the second one staler: no damage yet.
    (first === undefined || consistent ? undefined : await holding(table, streamId, fromVersion, true));
  if (before !== undefined || first === undefined) return before;
  const damage = `no commit holds version ${fromVersion}, the next one begins at version ${first.version}`;
  throw new StreamDamagedError(streamId, fromVersion, damage);
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
