// Two commits that are whole in themselves and do not follow each other: one of them is not what was appended. The log kept
// the beginning of each hash, so it says which.

import type { LogEntry } from '../../flow/log/port.ts';
import { parseHead } from './head.ts';
import { isVersion } from './item.ts';
import type { Reads } from './reads.ts';
import type { Damage } from './types.ts';

/** Entries that the log is followed back for one fork. */
const ENTRIES_MAX = 1_000;

/** The fork as it was found, or the commit that the log does not know as `rewritten-history`. */
export async function blame(reads: Reads, fork: Damage): Promise<Damage> {
  const { streamId, from, foundHash } = fork;
  const { previousVersion, previousHash, namedHash } = fork.evidence;
  if (!isVersion(previousVersion) || typeof previousHash !== 'string') return fork;
  const entries = await entriesBackTo(reads, streamId, previousVersion);
  const before = entries.find(({ version }) => version === previousVersion);
  if (before !== undefined && !previousHash.startsWith(before.hashPrefix)) {
    const to = from - 1;
    return rewritten(before, { ...fork, from: previousVersion, to, foundHash: previousHash }, String(namedHash));
  }
  const own = entries.find(({ version }) => version === from);
  if (own === undefined || foundHash?.startsWith(own.hashPrefix)) return fork;
  return rewritten(own, fork, own.hashPrefix);
}

const rewritten = (entry: LogEntry, damage: Damage, expectedHash: string): Damage => ({
  ...damage,
  kind: 'rewritten-history',
  expectedHash: expectedHash.startsWith(entry.hashPrefix) ? expectedHash : entry.hashPrefix,
  detail: `version ${damage.from} was sequenced with hash ${entry.hashPrefix}; the commit that is stored has ${damage.foundHash}`,
  evidence: { position: entry.position },
});

/** The stream's entries from its sequenced head down to this version, or as far as the log can be followed. */
async function entriesBackTo(reads: Reads, streamId: string, version: number): Promise<LogEntry[]> {
  const item = (await reads.heads([streamId])).get(streamId);
  const head = item && parseHead(item);
  const entries: LogEntry[] = [];
  let position = head === undefined || 'problem' in head ? 0 : head.position;
  while (position > 0 && entries.length < ENTRIES_MAX) {
    const answer = await reads.logAt(position);
    if (answer.kind !== 'entry' || answer.entry.streamId !== streamId) break;
    entries.push(answer.entry);
    if (answer.entry.version <= version || answer.entry.previousPosition >= position) break;
    position = answer.entry.previousPosition;
  }
  return entries;
}
