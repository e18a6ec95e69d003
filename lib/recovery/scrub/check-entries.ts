// One page's entries against the store, the directory and the pages before it. A few batched reads for the page, and single
// ones only for what does not fit.

import type { LogEntry, LogPage } from '../../flow/log/port.ts';
import {
  differenceFromCommit,
  differenceFromHead,
  differenceFromPrevious,
  entryDamage,
  isVouchedFor,
} from './entry.ts';
import { unknownToDirectory } from './finish-stream.ts';
import { directoryDamage, type HeadVerdict, judgeHead, parseHead } from './head.ts';
import { examineItem, type Item } from './item.ts';
import type { Reads } from './reads.ts';
import type { Damage } from './types.ts';

export async function checkEntries(reads: Reads, page: LogPage): Promise<Damage[]> {
  const items = await reads.items(page.entries);
  const stored = new Map(items.map((item) => [keyOf(String(item.streamId), Number(item.version)), item]));
  // After the page: what it moved is in the directory.
  const heads = await reads.heads(page.entries.map(({ streamId }) => streamId));
  const damages: Damage[] = [];
  const seen = new Map<string, LogEntry>();
  for (const entry of page.entries) {
    const { streamId, version } = entry;
    const previous = seen.get(streamId) ?? (await previousOf(reads, entry));
    seen.set(streamId, entry);
    damages.push(...(await checkEntry(reads, entry, stored.get(keyOf(streamId, version)), heads.get(streamId))));
    const unlinked = differenceFromPrevious(entry, previous);
    if (unlinked !== undefined) damages.push(entryDamage(entry, unlinked));
  }
  return damages;
}

/** A batch of its own: entries of one stream, for a look at that stream alone. */
export async function checkEntry(
  reads: Reads,
  entry: LogEntry,
  item: Item | undefined,
  headItem: Item | undefined,
): Promise<Damage[]> {
  const { streamId } = entry;
  const head = await headFor(reads, entry, headItem);
  if (head.kind === 'absent') return [unknownToDirectory(streamId, entry.position)];
  const commit = item && examineItem(item);
  if (commit === undefined) return nameless(reads, entry, head);
  // A broken item is the stream's damage; a wrong entry for it would be the second finding of one damage.
  if (!commit.isWhole) return [];
  const differs = differenceFromCommit(entry, commit);
  if (differs !== undefined) {
    const [next] = commit.hash.startsWith(entry.hashPrefix)
      ? [undefined]
      : await reads.items([{ streamId, version: commit.version + commit.count }]);
    const isEntrysFault =
      commit.hash.startsWith(entry.hashPrefix) || isVouchedFor(commit, next && examineItem(next), head);
    return isEntrysFault ? [entryDamage(entry, differs, commit.hash)] : [];
  }
  const difference = differenceFromHead(entry, head);
  if (difference === 'ahead' && headItem !== undefined) {
    return [directoryDamage(streamId, `the log holds a later commit at position ${entry.position}`, headItem)];
  }
  return difference === 'doubled' ? [entryDamage(entry, 'the directory knows the commit at another position')] : [];
}

/** No item has the entry's key. The store lost it (its stream's damage), or the entry never was about a commit. */
async function nameless(reads: Reads, entry: LogEntry, head: HeadVerdict): Promise<Damage[]> {
  const { streamId, version, count } = entry;
  const before = await reads.itemAtOrBefore(streamId, version);
  const holder = before && examineItem(before);
  if (holder?.isWhole && holder.version + holder.count - 1 >= version) {
    return [entryDamage(entry, `version ${version} is inside the commit at version ${holder.version}`)];
  }
  const isBeyond = head.kind === 'sequenced' && head.isConfirmed && head.head.version < version + count - 1;
  return isBeyond ? [entryDamage(entry, 'no such commit is stored, and its stream was never sequenced as far')] : [];
}

/** The log is asked about the head only where the entry does not fit to it. */
async function headFor(reads: Reads, entry: LogEntry, item: Item | undefined): Promise<HeadVerdict> {
  const head = item && parseHead(item);
  if (head === undefined || 'problem' in head) return judgeHead(entry.streamId, item, undefined);
  const fits = head.version > entry.version + entry.count - 1 || head.position === entry.position;
  return judgeHead(entry.streamId, item, fits ? undefined : await reads.logAt(head.position));
}

async function previousOf(
  reads: Reads,
  { version, previousPosition, position }: LogEntry,
): Promise<LogEntry | undefined> {
  if (version === 1 || previousPosition === 0 || previousPosition >= position) return undefined;
  const answer = await reads.logAt(previousPosition);
  return answer.kind === 'entry' ? answer.entry : undefined;
}

const keyOf = (streamId: string, version: number): string => `${version} ${streamId}`;
