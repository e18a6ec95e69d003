// Collects the commits of ONE stream that the log does not have yet, in version order, each verified by its own hash and
// linked to the one before it, from the records of the batch and, where one is missing, from the Events table. Damage ends
// the collection at the last good commit: that prefix is sequenced, the rest of the stream waits for its repair.

import { type Commit, GENESIS_HASH, lastVersion, type StoredCommit } from '../../model/commit.ts';
import { StreamDamagedError } from '../../model/errors.ts';
import type { StreamId, Version } from '../../model/ids.ts';
import type { DirectoryEntry } from '../log/port.ts';
import type { Budget } from './budget.ts';
import type { Incident } from './port.ts';

/** Reads of the Events table, consistent and unverified: whoever reads decides what is damage. */
export interface StoredCommits {
  /** Commits whose first version is at least `version`, in order. */
  readFrom(streamId: StreamId, version: number): AsyncIterable<StoredCommit>;
  /** The commit whose first version is exactly `version`. */
  get(streamId: StreamId, version: number): Promise<StoredCommit | undefined>;
}

/**
 * Checks the commit's hash and decodes its events: `verifyCommit` of the event store.
 * @throws StreamDamagedError when it is not what was appended; every other error says nothing about the commit
 */
export type VerifyCommit = (stored: StoredCommit) => Commit;

/** The commit, or why it is damaged. */
export function verified(stored: StoredCommit, verify: VerifyCommit): { commit: Commit } | { damage: Damage } {
  try {
    return { commit: verify(stored) };
  } catch (error) {
    if (!(error instanceof StreamDamagedError)) throw error;
    return { damage: { kind: 'hash-mismatch', version: stored.version, detail: error.message } };
  }
}

export type Damage = Pick<Incident, 'kind' | 'version' | 'detail'>;

export interface Gathered {
  /** New commits, contiguous from the sequenced head on. */
  commits: Commit[];
  /** How many of them came from the Events table. */
  backfilled: number;
  damages: Damage[];
  /** Set when the budget ended before this version was reached. */
  behind?: Version;
}

interface Link {
  version: number;
  /** Compared as a prefix: the directory keeps only the first hex digits. */
  hash: string;
}

export async function gatherCommits(input: {
  streamId: StreamId;
  sequenced: DirectoryEntry | undefined;
  /** Verified commits of the batch above the sequenced head, in any order, duplicates included. */
  delivered: readonly Commit[];
  /** The stream has reached at least this version. */
  target: Version;
  source: StoredCommits;
  verify: VerifyCommit;
  budget: Budget;
}): Promise<Gathered> {
  const { streamId, sequenced, target, source, budget } = input;
  const found: Gathered = { commits: [], backfilled: 0, damages: [] };
  let head: Link =
    sequenced === undefined
      ? { version: 0, hash: GENESIS_HASH }
      : { version: sequenced.version, hash: sequenced.hashPrefix };
  const delivered = byVersion(input.delivered);
  let stored: AsyncIterator<StoredCommit> | undefined;

  try {
    while (head.version < target) {
      const next = head.version + 1;
      const candidates = delivered.get(next) ?? [];
      let commit = candidates.find((candidate) => follows(candidate, head));
      if (commit !== undefined) {
        await stored?.return?.();
        stored = undefined;
      } else {
        if (!budget.takeCommit(found.backfilled)) {
          found.behind = target;
          break;
        }
        stored ??= source.readFrom(streamId, next)[Symbol.asyncIterator]();
        const read = await stored.next();
        const item = read.done ? undefined : read.value;
        if (item !== undefined) budget.countBytes(item);
        const answer = examine(item, next, head, input.verify);
        if ('damage' in answer) {
          found.damages.push(answer.damage);
          break;
        }
        commit = answer.commit;
        found.backfilled += 1;
      }
      const { hash } = commit;
      found.damages.push(...candidates.filter((other) => other.hash !== hash).map(rewritten));
      found.commits.push(commit);
      head = { version: lastVersion(commit), hash };
    }
  } finally {
    await stored?.return?.();
  }
  return found;
}

const follows = (commit: { previousHash: string }, head: Link): boolean => commit.previousHash.startsWith(head.hash);

const rewritten = (commit: Commit): Damage => ({
  kind: 'rewritten-history',
  version: commit.version,
  detail: `two commits with version ${commit.version} were delivered; the one with hash ${commit.hash} was not sequenced`,
});

function examine(
  item: StoredCommit | undefined,
  next: number,
  head: Link,
  verify: VerifyCommit,
): { commit: Commit } | { damage: Damage } {
  if (item === undefined || item.version > next) {
    const seen = item === undefined ? 'nothing is stored after it' : `the next stored commit is ${item.version}`;
    return {
      damage: { kind: 'missing-commit', version: next, detail: `no commit begins at version ${next}; ${seen}` },
    };
  }
  const answer = verified(item, verify);
  if ('damage' in answer || follows(answer.commit, head)) return answer;
  const detail = `its previousHash ${answer.commit.previousHash} is not the hash of version ${head.version}, ${head.hash}`;
  return { damage: { kind: 'fork', version: next, detail } };
}

function byVersion(commits: readonly Commit[]): Map<number, Commit[]> {
  const grouped = new Map<number, Commit[]>();
  for (const commit of commits) {
    const same = grouped.get(commit.version) ?? [];
    same.push(commit);
    grouped.set(commit.version, same);
  }
  return grouped;
}
