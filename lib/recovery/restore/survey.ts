// What is wrong with one stream, item by item: pure. The log says which commit belongs at which version (count and hash
// prefix); beyond the log's head the hash chain does. Answers slots: versions to fill from a copy, items to take away, and
// commits among those that somebody was told are stored, which are appended again.

import { verifyCommit } from '../../flow/event-store/hash.ts';
import type { LogEntry } from '../../flow/log/port.ts';
import { type Commit, GENESIS_HASH, lastVersion, type StoredCommit } from '../../model/commit.ts';
import { StreamDamagedError } from '../../model/errors.ts';
import type { StreamId } from '../../model/ids.ts';
import { COMMIT_ATTRIBUTES, digestOf, type RawItem } from './raw-item.ts';
import { type Link, type Seen, type Slot, type Survey, standingIn, type UnknownSlot } from './slots.ts';

/** The log's knowledge above the last commit that surely is the sequenced one. */
export interface Expected {
  sequenced: number;
  /** Ascending, contiguous, up to `sequenced`; empty when the intact beginning of the stream reaches it. */
  entries: readonly Pick<LogEntry, 'version' | 'count' | 'hashPrefix' | 'recordedAt'>[];
}

/** Version up to which the items are a whole, linked chain from 1 on, and that chain. */
export function intactChain(items: readonly RawItem[]): Link[] {
  const chain: Link[] = [];
  for (const item of items) {
    const commit = wholeCommit(item);
    if (commit === undefined || !follows(commit, chain.at(-1))) break;
    chain.push(linkOf(commit));
  }
  return chain;
}

/**
 * @param items everything that is stored under the stream's id, ascending
 * @param moved hashes of commits that had to make way before: what was appended on them has to follow
 */
export function surveyStream(
  streamId: StreamId,
  items: readonly RawItem[],
  expected: Expected,
  moved: ReadonlySet<string> = new Set(),
): Survey {
  const builder = createBuilder(items);
  const chain = intactChain(items);
  const first = expected.entries[0]?.version ?? expected.sequenced + 1;
  for (const link of chain) if (lastVersion(link) < first) builder.keep(link);

  for (const entry of expected.entries) {
    const item = builder.at(entry.version);
    const commit = item && wholeCommit(item);
    if (commit !== undefined && commit.count === entry.count && commit.hash.startsWith(entry.hashPrefix)) {
      builder.keep(linkOf(commit));
    } else {
      const { version, count, hashPrefix, recordedAt } = entry;
      builder.slot({ kind: 'known', version, count, hashPrefix, recordedAt, ...builder.seenAt(version, entry) });
    }
  }
  beyondTheLog(builder, expected, moved);
  builder.removeRest();
  return { streamId, sequenced: expected.sequenced, ...builder.result() };
}

/** Commits that are not in the log yet continue its last one; what follows something that has to go, has to go with it. */
function beyondTheLog(builder: Builder, { sequenced, entries }: Expected, moved: ReadonlySet<string>): void {
  let next = sequenced + 1;
  let previous = entries.at(-1)?.hashPrefix ?? builder.lastHash() ?? GENESIS_HASH;
  const going = new Set<string>([...moved, ...builder.hashesNotKept(sequenced)]);
  for (const hash of builder.hashesKept()) going.delete(hash);
  for (const item of builder.from(next)) {
    const version = item.version as number;
    const commit = wholeCommit(item);
    if (version < next) continue;
    if (commit === undefined) {
      // No commit begins between two versions.
      if (Number.isSafeInteger(version)) builder.open(next).unreadable.push({ version, seen: seenOf(item) });
      continue;
    }
    if (going.has(commit.previousHash)) {
      going.add(commit.hash);
      continue;
    }
    if (version === next && !builder.isOpen()) {
      if (!commit.previousHash.startsWith(previous)) {
        going.add(commit.hash);
        continue;
      }
    } else {
      builder.open(next);
      builder.close(version - 1, commit.previousHash);
    }
    builder.keep(linkOf(commit));
    next = lastVersion(commit) + 1;
    previous = commit.hash;
  }
  builder.closeAtEnd();
}

type Builder = ReturnType<typeof createBuilder>;

function createBuilder(items: readonly RawItem[]) {
  const byVersion = new Map(items.map((item) => [item.version as number, item]));
  const links = new Map<number, Link>();
  const slots: Slot[] = [];
  let open: UnknownSlot | undefined;
  const settled = new Set<number>();
  const builder = {
    at: (version: number) => byVersion.get(version),
    from: (version: number) => items.filter((item) => (item.version as number) >= version),
    seenAt(version: number, belongs?: Pick<LogEntry, 'count' | 'hashPrefix'>): { seen?: Seen } {
      const item = byVersion.get(version);
      return item === undefined ? {} : { seen: seenOf(item, belongs) };
    },
    keep(link: Link) {
      settled.add(link.version);
      links.set(link.version, link);
    },
    slot(slot: Slot) {
      for (const { version } of standingIn(slot)) settled.add(version);
      slots.push(slot);
    },
    isOpen: () => open !== undefined,
    open(version: number): UnknownSlot {
      open ??= { kind: 'unknown', version, unreadable: [] };
      return open;
    },
    close(to: number, nextHash: string) {
      if (open !== undefined) builder.slot({ ...open, to, nextHash });
      open = undefined;
    },
    closeAtEnd() {
      if (open !== undefined) builder.slot(open);
      open = undefined;
    },
    lastHash: () => [...links.values()].at(-1)?.hash,
    hashesKept: () => [...links.values()].map(({ hash }) => hash),
    /** Of whole commits up to this version that do not stay. */
    hashesNotKept: (upTo: number): string[] =>
      items.flatMap((item) => {
        const version = item.version as number;
        const commit = version > upTo || links.has(version) ? undefined : wholeCommit(item);
        return commit === undefined ? [] : [commit.hash];
      }),
    removeRest() {
      for (const item of items) {
        const version = item.version as number;
        if (!settled.has(version)) slots.push({ kind: 'foreign', version, seen: seenOf(item) });
      }
    },
    result() {
      slots.sort((a, b) => a.version - b.version);
      const raw = new Map(slots.flatMap(standingIn).map(({ version }) => [version, byVersion.get(version) as RawItem]));
      const end = [...links.values()].reduce((highest, link) => Math.max(highest, lastVersion(link)), 0);
      return { slots, links, raw, end };
    },
  };
  return builder;
}

const follows = (commit: Commit, previous: Link | undefined): boolean =>
  commit.version === (previous === undefined ? 1 : lastVersion(previous) + 1) &&
  commit.previousHash === (previous?.hash ?? GENESIS_HASH) &&
  commit.recordedAt >= (previous?.recordedAt ?? 0);

export const linkOf = ({ version, count, hash, recordedAt }: Commit): Link => ({ version, count, hash, recordedAt });

/** The commit, when the item is one, its hash fits, and it holds nothing else. @throws EventRecoveryError `NEWER_FORMAT` */
export const wholeCommit = (item: RawItem): Commit | undefined =>
  Object.keys(item).every((name) => COMMIT_ATTRIBUTES.has(name)) ? commitIn(item) : undefined;

/** The same, whatever else the item holds. */
export function commitIn(item: RawItem): Commit | undefined {
  try {
    return verifyCommit(item as unknown as StoredCommit);
  } catch (error) {
    if (error instanceof StreamDamagedError) return undefined;
    throw error;
  }
}

function seenOf(item: RawItem, belongs?: Pick<LogEntry, 'count' | 'hashPrefix'>): Seen {
  const commit = commitIn(item);
  // The right commit under something that does not belong to it loses nothing when that goes.
  const isRight =
    belongs !== undefined && commit?.count === belongs.count && commit.hash.startsWith(belongs.hashPrefix);
  return {
    digest: digestOf(item),
    ...(typeof item.hash === 'string' && { hash: item.hash }),
    isCommit: commit !== undefined && !isRight,
  };
}
