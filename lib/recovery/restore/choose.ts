// Picks, among copies of unknown origin, the commits that belong into a stream's slots: pure. A copy is taken only when it is
// whole in itself, is what the log names, and follows and is followed by its neighbours: where it was found proves nothing.

import { type Commit, GENESIS_HASH, lastVersion, type StoredCommit } from '../../model/commit.ts';
import type { RawItem } from './raw-item.ts';
import { type Link, lastStanding, type Slot, type Survey, standingIn, type UnknownSlot } from './slots.ts';
import { commitIn, linkOf } from './survey.ts';

/** Copies that a source has for a version, whatever they hold. */
export type CopiesAt = (version: number) => readonly Record<string, unknown>[];

export interface Chosen {
  /** What to put where, ascending. */
  commits: StoredCommit[];
  /** Versions of items that have to go, descending: nothing belongs there. */
  removals: number[];
  /** Slots without a copy that fits: nothing is written to the stream then. */
  notFound: number[];
}

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
    if (slot.kind === 'known' && !known(slot)) notFound.push(slot.version);
    if (slot.kind === 'unknown') notFound.push(...unknown(slot));
  }
  const filled = new Set<number>(commits.map(({ version }) => version));
  const removals = survey.slots
    .flatMap((slot) => (slot.kind === 'known' ? [] : standingIn(slot)))
    .map(({ version }) => version)
    .filter((version) => !filled.has(version));
  return { commits, removals: removals.sort((a, b) => b - a), notFound };

  function known(slot: Extract<Slot, { kind: 'known' }>): boolean {
    const right = copies(slot.version).find(
      ({ commit }) => commit.count === slot.count && commit.hash.startsWith(slot.hashPrefix),
    );
    if (right !== undefined) take(right.commit, right.stored);
    return right !== undefined;
  }

  /** Answers the first version that no copy is found for. */
  function unknown(slot: UnknownSlot): number[] {
    const run = runFrom(slot);
    const last = run.at(-1)?.commit;
    const end = last === undefined ? slot.version - 1 : lastVersion(last);
    const isWhole =
      slot.to === undefined
        ? end >= lastStanding(slot) || slot.isGarbageAllowed === true
        : end === slot.to && last?.hash === slot.nextHash;
    for (const { commit, stored } of run) {
      if (isWhole) take(commit, stored);
      else ends.delete(lastVersion(commit));
    }
    return isWhole ? [] : [Math.min(end + 1, slot.to ?? end + 1)];
  }

  /** Copies that follow each other, up to the end of the slot. Each step needs one: it ends with them. */
  function runFrom(slot: UnknownSlot): { commit: Commit; stored: StoredCommit }[] {
    const run: { commit: Commit; stored: StoredCommit }[] = [];
    const to = slot.to ?? lastStanding(slot);
    for (let version: number = slot.version; version <= to; ) {
      const distinct = new Map(copies(version).map((copy) => [copy.commit.hash, copy]));
      // Two whole copies that follow the same commit are a fork: only what stands there may still say which one it was.
      const copy =
        distinct.size === 1 ? [...distinct.values()][0] : distinct.get(String(survey.raw.get(version)?.hash));
      if (copy === undefined) break;
      run.push(copy);
      ends.set(lastVersion(copy.commit), linkOf(copy.commit));
      version = lastVersion(copy.commit) + 1;
    }
    return run;
  }
}

/** The attributes of a commit and no others: a copy's extra attributes are not restored. */
function onlyStored(item: Record<string, unknown>): StoredCommit {
  const { streamId, version, count, events, encoding, format, recordedAt, previousHash, hash } =
    item as unknown as StoredCommit;
  return { streamId, version, count, events, encoding, format, recordedAt, previousHash, hash };
}
