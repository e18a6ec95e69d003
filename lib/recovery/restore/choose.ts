// Picks, among copies of unknown origin, the commits that belong into a stream's slots: pure. A copy is taken only when it is
// whole in itself, is what the log names, and follows and is followed by its neighbours: where it was found proves nothing.

import { type Commit, GENESIS_HASH, lastVersion, type StoredCommit } from '../../model/commit.ts';
import type { RawItem } from './raw-item.ts';
import { commitIn, type Link, linkOf, type Slot, type Survey } from './survey.ts';

/** Copies that a source has for a version, whatever they hold. */
export type CopiesAt = (version: number) => readonly Record<string, unknown>[];

export interface Chosen {
  /** What to put where, ascending. */
  commits: StoredCommit[];
  /** Slots without a copy that fits: nothing is written to the stream then. */
  notFound: number[];
}

/** Commits in one `unknown` slot; a longer one is taken up by the next plan. */
const RUN_MAX = 1_000;

export function chooseCopies(survey: Survey, copiesAt: CopiesAt): Chosen {
  const commits: StoredCommit[] = [];
  const notFound: number[] = [];
  /** Good neighbours, and the copies that were chosen so far. */
  const links = new Map<number, Link>(survey.links);
  const ends = new Map<number, Link>([...links.values()].map((link) => [lastVersion(link), link]));
  const take = (commit: Commit, stored: StoredCommit): void => {
    const link = linkOf(commit);
    links.set(link.version, link);
    ends.set(lastVersion(link), link);
    commits.push(stored);
  };
  /** The chain is hashed forwards: a copy follows what is before it, whose hash is known by then. */
  const fits = (commit: Commit): boolean => {
    const before = ends.get(commit.version - 1);
    const follows =
      commit.version === 1
        ? commit.previousHash === GENESIS_HASH
        : before !== undefined && commit.previousHash === before.hash && commit.recordedAt >= before.recordedAt;
    const after = links.get(lastVersion(commit) + 1);
    return follows && (after === undefined || commit.recordedAt <= after.recordedAt);
  };
  const copies = (version: number): { commit: Commit; stored: StoredCommit }[] =>
    // What is stored may be a copy itself: the right commit, under an attribute that does not belong to it.
    [...copiesAt(version), ...(survey.raw.has(version) ? [survey.raw.get(version) as RawItem] : [])].flatMap((item) => {
      const commit = item.streamId === survey.streamId && item.version === version ? commitIn(item) : undefined;
      return commit === undefined || !fits(commit) ? [] : [{ commit, stored: onlyStored(item) }];
    });

  for (const slot of survey.slots) {
    if (slot.kind === 'foreign') continue;
    const found = slot.kind === 'known' ? known(slot) : unknown(slot);
    if (!found) notFound.push(slot.version);
  }
  return { commits, notFound };

  function known(slot: Extract<Slot, { kind: 'known' }>): boolean {
    const right = copies(slot.version).find(
      ({ commit }) => commit.count === slot.count && commit.hash.startsWith(slot.hashPrefix),
    );
    if (right !== undefined) take(right.commit, right.stored);
    return right !== undefined;
  }

  function unknown(slot: Extract<Slot, { kind: 'unknown' }>): boolean {
    const run: { commit: Commit; stored: StoredCommit }[] = [];
    let version = slot.version;
    for (let length = 0; length < RUN_MAX && version <= (slot.to ?? version); length += 1) {
      // Two whole copies that follow the same commit would be a fork that nobody can decide on.
      const distinct = new Map(copies(version).map((copy) => [copy.commit.hash, copy]));
      const [copy] = [...distinct.values()];
      if (copy === undefined || distinct.size > 1) break;
      run.push(copy);
      ends.set(lastVersion(copy.commit), linkOf(copy.commit));
      version = lastVersion(copy.commit) + 1;
      if (slot.to === undefined) break;
    }
    const last = run.at(-1)?.commit;
    const isWhole =
      last !== undefined && (slot.to === undefined || (lastVersion(last) === slot.to && last.hash === slot.nextHash));
    for (const { commit, stored } of run) {
      if (isWhole) take(commit, stored);
      else ends.delete(lastVersion(commit));
    }
    return isWhole;
  }
}

/** The attributes of a commit and no others: a copy's extra attributes are not restored. */
function onlyStored(item: Record<string, unknown>): StoredCommit {
  const { streamId, version, count, events, encoding, format, recordedAt, previousHash, hash } =
    item as unknown as StoredCommit;
  return { streamId, version, count, events, encoding, format, recordedAt, previousHash, hash };
}
