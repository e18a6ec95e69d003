// Log entries against what they name: the commit in the store, the stream's head in the directory, and the entry of the
// commit before it. Pure parts; damage of the store is left to the look at its stream, which meets it too.

import type { LogEntry } from '../../flow/log/port.ts';
import type { HeadVerdict } from './head.ts';
import type { BrokenItem, WholeCommit } from './item.ts';
import type { Damage } from './types.ts';

/** Why the entry is not the one of this commit; undefined: it is. */
export function differenceFromCommit(entry: LogEntry, commit: WholeCommit): string | undefined {
  const { count, recordedAt, hash, types } = commit;
  if (!hash.startsWith(entry.hashPrefix)) return `its hash is ${entry.hashPrefix}, the stored commit's is ${hash}`;
  if (entry.count !== count) return `it has ${entry.count} events, the stored commit has ${count}`;
  if (entry.recordedAt !== recordedAt)
    return `it was recorded at ${entry.recordedAt}, the stored commit at ${recordedAt}`;
  if (types?.some((type, index) => type !== entry.types[index])) {
    return 'its event types are not those of the stored commit';
  }
  return undefined;
}

/** The entry of the commit before: the log must hold it where `previousPosition` says. */
export function differenceFromPrevious(entry: LogEntry, previous: LogEntry | undefined): string | undefined {
  const { version, previousPosition, streamId } = entry;
  if (version === 1)
    return previousPosition === 0 ? undefined : `it is its stream's first commit and names a previous one`;
  if (previousPosition === 0 || previousPosition >= entry.position) {
    return `it names position ${previousPosition} as that of the commit before it`;
  }
  if (previous === undefined) return undefined;
  const fits =
    previous.streamId === streamId &&
    previous.position === previousPosition &&
    previous.version + previous.count === version;
  return fits ? undefined : `position ${previousPosition} does not hold the commit before it`;
}

/** The entry against the directory, when its commit is stored as it says. */
export function differenceFromHead(
  entry: LogEntry,
  head: HeadVerdict,
): 'not-in-directory' | 'ahead' | 'doubled' | undefined {
  if (head.kind === 'absent') return 'not-in-directory';
  if (head.kind === 'damaged') return undefined;
  const end = entry.version + entry.count - 1;
  const { version, position } = head.head;
  if (version < end) return 'ahead';
  return version === end && head.isConfirmed && position !== entry.position ? 'doubled' : undefined;
}

/** The commits after it, or the directory, vouch for this commit: then it is the entry that is wrong. */
export function isVouchedFor(
  commit: WholeCommit,
  next: WholeCommit | BrokenItem | undefined,
  head: HeadVerdict,
): boolean {
  const end = commit.version + commit.count - 1;
  if (next?.isWhole && next.version === end + 1) return next.previousHash === commit.hash;
  return head.kind === 'sequenced' && head.head.version === end && commit.hash.startsWith(head.head.hashPrefix);
}

export const entryDamage = (entry: LogEntry, problem: string, foundHash?: string): Damage => ({
  kind: 'log-mismatch',
  streamId: entry.streamId,
  from: entry.version,
  to: entry.version + entry.count - 1,
  ...(foundHash !== undefined && { expectedHash: foundHash }),
  foundHash: entry.hashPrefix,
  detail: `the log's entry at position ${entry.position}: ${problem}`,
  evidence: { position: entry.position },
});
