// One stream's items, in the order of their versions, made into a chain: each commit begins where the one before it ends and
// names its hash. Pure and incremental: a chain is small, so it can be stored between two pages of a scan.
//
// A broken item is judged together with what follows it: the next commit names the hash that should be there, and shows where
// the broken one ends whatever its own count says. Until then it is the chain's `suspect`.

import { GENESIS_HASH } from '../../model/commit.ts';
import { type BrokenItem, examineItem, type Item, isVersion, type WholeCommit } from './item.ts';
import type { Damage } from './types.ts';

/** A broken item that nothing follows yet. */
export interface Suspect {
  from: number;
  claimedEnd: number;
  storedHash?: string;
  computedHash?: string;
  problem: string;
}

export interface Chain {
  streamId: string;
  /** When the look at this stream began: findings that were met later are not older than it. */
  startedAt: number;
  commits: number;
  /** Last commit that is whole: its first and last version, hash and time. 0 = none yet. */
  from: number;
  end: number;
  hash: string;
  recordedAt: number;
  /** Damage was found in this stream. */
  isDamaged: boolean;
  /** Sort key of the item that came last, whatever it is; absent before the first. */
  lastKey?: unknown;
  suspect?: Suspect;
}

export const beginChain = (streamId: string, startedAt: number): Chain => ({
  streamId,
  startedAt,
  commits: 0,
  from: 0,
  end: 0,
  hash: GENESIS_HASH,
  recordedAt: 0,
  isDamaged: false,
});

export interface Extended {
  chain: Chain;
  damages: Damage[];
}

/** @param item the next one by its sort key */
export function extendChain(chain: Chain, item: Item): Extended {
  const found = examineItem(item);
  const extended = found.isWhole ? extendByCommit(chain, found) : extendByBroken(chain, found);
  const isDamaged = chain.isDamaged || extended.damages.length > 0 || extended.chain.suspect !== undefined;
  return { ...extended, chain: { ...extended.chain, commits: chain.commits + 1, lastKey: item.version, isDamaged } };
}

function extendByCommit(chain: Chain, commit: WholeCommit): Extended {
  const { streamId, end, suspect } = chain;
  const { version } = commit;
  if (version <= end) {
    const detail = `a commit begins at version ${version}, which the commit at version ${chain.from} holds`;
    const damage = { kind: 'fork', ...at(chain, version, version + commit.count - 1), detail } as const;
    return { chain, damages: [{ ...damage, foundHash: commit.hash, evidence: { heldBy: chain.from } }] };
  }
  const damages: Damage[] = [];
  if (suspect !== undefined) damages.push(...suspectBefore(chain, suspect, version, commit.previousHash));
  else if (version > end + 1) damages.push(missing(streamId, end + 1, version - 1, commit.previousHash));
  else if (commit.previousHash !== chain.hash) damages.push(fork(chain, commit));
  if (commit.recordedAt < chain.recordedAt) damages.push(timeOrder(chain, commit));
  const { suspect: _, ...rest } = chain;
  const { hash, recordedAt, count } = commit;
  return { chain: { ...rest, from: version, end: version + count - 1, hash, recordedAt }, damages };
}

function extendByBroken(chain: Chain, item: BrokenItem): Extended {
  const { version } = item;
  if (!isVersion(version) || version <= chain.end) {
    const isKey = typeof version === 'number' && Number.isSafeInteger(version);
    const why = isVersion(version)
      ? `the commit at version ${chain.from} holds this version`
      : 'no commit begins there';
    const place = isKey ? version : 0;
    const detail = `under version ${String(version)} stands an item that is no commit of this stream: ${why}`;
    const evidence = { key: String(version), problem: item.problem };
    return { chain, damages: [{ kind: 'foreign-item', ...at(chain, place, place), detail, evidence }] };
  }
  const { suspect } = chain;
  const damages = suspect === undefined ? [] : suspectBefore(chain, suspect, version);
  const { claimedEnd, storedHash, computedHash, problem } = item;
  const next: Suspect = {
    from: version,
    claimedEnd,
    problem,
    ...(storedHash !== undefined && { storedHash }),
    ...(computedHash !== undefined && { computedHash }),
  };
  // What the suspect before held counts as held; who is behind it is the next commit's to say.
  const held = suspect === undefined ? {} : { end: Math.max(chain.end, Math.min(suspect.claimedEnd, version - 1)) };
  return { chain: { ...chain, ...held, suspect: next }, damages };
}

/**
 * Damages of a suspect, now that an item follows at `next`. It reaches up to there when the follower names its hash, or when
 * its own count says so; otherwise what lies between counts as missing.
 */
function suspectBefore(chain: Chain, suspect: Suspect, next: number, namedHash?: string): Damage[] {
  const { streamId, end } = chain;
  const isNamed = namedHash !== undefined && namedHash === suspect.storedHash;
  const to = isNamed || suspect.claimedEnd >= next ? next - 1 : suspect.claimedEnd;
  const damages: Damage[] = [];
  if (suspect.from > end + 1) damages.push(missing(streamId, end + 1, suspect.from - 1));
  damages.push(brokenItem(chain, suspect, to, to === next - 1 ? namedHash : undefined));
  if (to < next - 1) damages.push(missing(streamId, to + 1, next - 1, namedHash));
  return damages;
}

export function brokenItem(chain: Chain, suspect: Suspect, to: number, expectedHash?: string): Damage {
  const { from, problem, computedHash, storedHash } = suspect;
  const foundHash = computedHash ?? storedHash;
  return {
    kind: 'hash-mismatch',
    ...at(chain, from, to),
    ...(expectedHash !== undefined && { expectedHash }),
    ...(foundHash !== undefined && { foundHash }),
    detail: problem,
    evidence: { ...(storedHash !== undefined && { storedHash: storedHash.slice(0, HASH_SHOWN) }) },
  };
}

/** Garbage can be long; a hash has 64 digits. */
const HASH_SHOWN = 64;

const at = ({ streamId }: Pick<Chain, 'streamId'>, from: number, to: number) => ({ streamId, from, to });

/** @param expectedHash of the last missing commit: what the next one names */
export const missing = (streamId: string, from: number, to: number, expectedHash?: string): Damage => ({
  kind: 'missing-commit',
  streamId,
  from,
  to,
  ...(expectedHash !== undefined && { expectedHash }),
  detail: `no commit holds versions ${from} to ${to}, and the stream goes on at version ${to + 1}`,
  evidence: {},
});

const fork = (chain: Chain, commit: WholeCommit): Damage => ({
  kind: 'fork',
  ...at(chain, commit.version, commit.version + commit.count - 1),
  foundHash: commit.hash,
  detail: `its previousHash ${commit.previousHash} is not the hash of the commit before it, ${chain.hash}`,
  evidence: { previousVersion: chain.from, previousHash: chain.hash, namedHash: commit.previousHash },
});

const timeOrder = (chain: Chain, commit: WholeCommit): Damage => ({
  kind: 'time-order',
  ...at(chain, commit.version, commit.version + commit.count - 1),
  foundHash: commit.hash,
  detail: `it was recorded at ${commit.recordedAt}, before the commit at version ${chain.from} (${chain.recordedAt})`,
  evidence: { recordedAt: commit.recordedAt, previousRecordedAt: chain.recordedAt },
});
