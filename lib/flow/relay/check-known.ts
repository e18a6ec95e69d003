// Looks at commits that arrive although the log already has their versions: redeliveries, a stream read again from its
// beginning, or history that somebody rewrote. A redelivery is told from a rewrite without walking the log: the commit
// must be linked to by the next one, up to the sequenced head, whose hash the directory knows. Only a broken link is looked up.

import { type Commit, lastVersion } from '../../model/commit.ts';
import type { StreamId } from '../../model/ids.ts';
import { HASH_PREFIX_LENGTH } from '../log/pages.ts';
import type { DirectoryEntry, Log, LogEntry } from '../log/port.ts';
import type { Damage, StoredCommits } from './gather.ts';

/** Entries of one stream that a look-up goes back; further back, the scrub decides. */
export const LOOKUP_ENTRIES = 200;

/**
 * Damage among commits at or below the sequenced head. At most one read of the Events table for each run of contiguous
 * commits, and one bounded look-up in the log for each broken link.
 */
export async function checkKnownCommits(input: {
  streamId: StreamId;
  sequenced: DirectoryEntry;
  /** Verified, in any order, duplicates included; `version <= sequenced.version`. */
  known: readonly Commit[];
  source: StoredCommits;
  log: Pick<Log, 'streamEntriesBackwards'>;
}): Promise<Damage[]> {
  const { streamId, sequenced, source } = input;
  const distinct = [...new Map(input.known.map((commit) => [commit.hash, commit])).values()];
  const damages: Damage[] = [];
  for (const commit of distinct) {
    const last = lastVersion(commit);
    if (last === sequenced.version && prefix(commit.hash) === sequenced.hashPrefix) continue;
    if (last >= sequenced.version) {
      damages.push(rewritten(commit, `version ${sequenced.version} was sequenced with hash ${sequenced.hashPrefix}`));
      continue;
    }
    const next = last + 1;
    if (distinct.some((other) => other.version === next && other.previousHash === commit.hash)) continue;
    const stored = await source.get(streamId, next);
    if (stored?.previousHash === commit.hash) continue;
    damages.push(await blame(commit, next, stored === undefined, input));
  }
  return damages;
}

/** A link is broken: either this commit is not the one that was sequenced, or the one after it was changed or removed. */
async function blame(
  commit: Commit,
  next: number,
  nextIsMissing: boolean,
  input: { streamId: StreamId; log: Pick<Log, 'streamEntriesBackwards'> },
): Promise<Damage> {
  const entry = await lookUp(input.log, input.streamId, commit.version);
  if (entry === undefined) return rewritten(commit, `the log was searched ${LOOKUP_ENTRIES} commits back`);
  if (entry.version !== commit.version || entry.hashPrefix !== prefix(commit.hash)) {
    return rewritten(commit, `version ${entry.version} was sequenced with hash ${entry.hashPrefix}`);
  }
  return nextIsMissing
    ? { kind: 'missing-commit', version: next, detail: `version ${next} was sequenced but no commit begins there` }
    : { kind: 'rewritten-history', version: next, detail: `the stored commit does not follow version ${next - 1}` };
}

async function lookUp(
  log: Pick<Log, 'streamEntriesBackwards'>,
  streamId: StreamId,
  version: number,
): Promise<LogEntry | undefined> {
  let looked = 0;
  for await (const entry of log.streamEntriesBackwards(streamId)) {
    if (entry.version <= version) return entry;
    looked += 1;
    if (looked >= LOOKUP_ENTRIES) return undefined;
  }
  return undefined;
}

const prefix = (hash: string): string => hash.slice(0, HASH_PREFIX_LENGTH);

const rewritten = (commit: Commit, known: string): Damage => ({
  kind: 'rewritten-history',
  version: commit.version,
  detail: `a commit with version ${commit.version} and hash ${commit.hash} arrived; ${known}`,
});
