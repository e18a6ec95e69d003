// What is wrong with one stream, item by item: pure. The log says which commit belongs at which version (count and hash
// prefix); beyond the log's head the hash chain does. Answers slots: versions to fill from a copy, items to take away, and
// commits among those that somebody was told are stored, which are appended again.

import { verifyCommit } from '../../flow/event-store/hash.ts';
import type { LogEntry } from '../../flow/log/port.ts';
import { type Commit, GENESIS_HASH, lastVersion, type StoredCommit } from '../../model/commit.ts';
import { StreamDamagedError } from '../../model/errors.ts';
import type { StreamId } from '../../model/ids.ts';
import { COMMIT_ATTRIBUTES, digestOf, type RawItem } from './raw-item.ts';

/** A commit that is as it should be, without its events. */
export interface Link {
  version: number;
  count: number;
  hash: string;
  recordedAt: number;
}

/** What stands at a version and must go or be replaced. */
export interface Seen {
  /** Of all attributes: what a write is conditional on. */
  digest: string;
  hash?: string;
  /** It is whole in itself: an append that was acknowledged. Its events are never dropped. */
  isCommit: boolean;
}

export type Slot =
  /** The log knows what belongs here. */
  | { kind: 'known'; version: number; count: number; hashPrefix: string; recordedAt: number; seen?: Seen }
  /** Only the neighbours know: commits from `version` to `to` whose last one has this hash, when the next one names it. */
  | { kind: 'unknown'; version: number; to?: number; nextHash?: string; seen?: Seen }
  /** Nothing belongs here. */
  | { kind: 'foreign'; version: number; seen: Seen };

export interface Survey {
  streamId: StreamId;
  /** Head in the stream directory; 0: the log does not know the stream. */
  sequenced: number;
  slots: Slot[];
  /** Good commits around the slots, by version: what a copy must fit between. */
  links: ReadonlyMap<number, Link>;
  /** Items of the slots as they are stored. */
  raw: ReadonlyMap<number, RawItem>;
  /** Last version of the stored good commits. */
  end: number;
}

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
      if (version === next) builder.open({ kind: 'unknown', version, ...builder.seenAt(version) });
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
      if (!builder.isOpen()) builder.open({ kind: 'unknown', version: next });
      builder.close(version - 1, commit.previousHash);
    }
    builder.keep(linkOf(commit));
    next = lastVersion(commit) + 1;
    previous = commit.hash;
  }
  builder.closeAtEnd();
}

/**
 * The same, with what stands at the very end, beyond the log, taken for something that does not belong there. Nobody can vouch
 * for it: it may be garbage, or an acknowledged commit that was damaged before it was sequenced. A human decides that.
 */
export const withoutUnknownEnd = (survey: Survey): Survey => ({
  ...survey,
  slots: survey.slots.map((slot) =>
    slot.kind === 'unknown' && slot.to === undefined && slot.seen !== undefined
      ? { kind: 'foreign', version: slot.version, seen: slot.seen }
      : slot,
  ),
});

type Builder = ReturnType<typeof createBuilder>;

function createBuilder(items: readonly RawItem[]) {
  const byVersion = new Map(items.map((item) => [item.version as number, item]));
  const links = new Map<number, Link>();
  const slots: Slot[] = [];
  let open: Extract<Slot, { kind: 'unknown' }> | undefined;
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
      settled.add(slot.version);
      slots.push(slot);
    },
    isOpen: () => open !== undefined,
    open(slot: Extract<Slot, { kind: 'unknown' }>) {
      open ??= slot;
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
      const raw = new Map(
        slots.flatMap(({ version }) => (byVersion.has(version) ? [[version, byVersion.get(version) as RawItem]] : [])),
      );
      return { slots, links, raw, end: Math.max(0, ...[...links.values()].map(lastVersion)) };
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
