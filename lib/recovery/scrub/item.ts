// What an item of the Events table is by itself: a commit that is whole, or something that is not. Pure, and total: whatever
// is stored under a key gets an answer.

import { hashCommit, verifyCommit } from '../../flow/event-store/hash.ts';
import { COMMIT_MAX_EVENTS } from '../../flow/event-store/limits.ts';
import { COMMIT_FORMAT, type StoredCommit } from '../../model/commit.ts';
import { EventRecoveryError } from '../../model/errors.ts';

export type Item = Readonly<Record<string, unknown>>;

export interface WholeCommit {
  isWhole: true;
  version: number;
  count: number;
  recordedAt: number;
  previousHash: string;
  hash: string;
  /** Type of each event; absent for a format that newer code wrote. */
  types?: readonly string[];
}

export interface BrokenItem {
  isWhole: false;
  /** As stored; anything. */
  version: unknown;
  /** Last version by its own count; its first one when the count makes no sense. */
  claimedEnd: number;
  /** Its `hash` attribute, when that is a text. */
  storedHash?: string;
  /** Hash of what is stored, when it can be computed. */
  computedHash?: string;
  problem: string;
}

/** Attributes of a commit in the format that this code writes. */
const ATTRIBUTES: ReadonlySet<string> = new Set<keyof StoredCommit>([
  'streamId',
  'version',
  'count',
  'events',
  'encoding',
  'format',
  'recordedAt',
  'previousHash',
  'hash',
]);

/** So that the version or position after a whole commit still is a number that can be stored. */
const VERSION_MAX = Number.MAX_SAFE_INTEGER - 2 * COMMIT_MAX_EVENTS;

/** A whole number that a version or a position can be. */
export const isVersion = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= VERSION_MAX;

export function examineItem(item: Item): WholeCommit | BrokenItem {
  const stored = item as unknown as StoredCommit;
  const { version, count, recordedAt, previousHash, hash } = stored;
  try {
    const { events } = verifyCommit(stored);
    const extra = Object.keys(item).find((name) => !ATTRIBUTES.has(name));
    if (extra !== undefined) return broken(stored, `it has an attribute "${extra}", which no commit has`);
    return { isWhole: true, version, count, recordedAt, previousHash, hash, types: events.map(({ type }) => type) };
  } catch (error) {
    // The hash was checked before the format: newer code wrote it, and it is whole.
    if (error instanceof EventRecoveryError && error.code === 'NEWER_FORMAT' && stored.format > COMMIT_FORMAT) {
      return { isWhole: true, version, count, recordedAt, previousHash, hash };
    }
    return broken(stored, error instanceof Error ? error.message : String(error));
  }
}

function broken(stored: StoredCommit, problem: string): BrokenItem {
  const { version, count, hash } = stored;
  const claimedCount = isVersion(count) && count <= COMMIT_MAX_EVENTS ? count : 1;
  return {
    isWhole: false,
    version,
    claimedEnd: isVersion(version) ? version + claimedCount - 1 : 0,
    ...(typeof hash === 'string' && { storedHash: hash }),
    ...computedHash(stored),
    problem,
  };
}

function computedHash(stored: StoredCommit): Pick<BrokenItem, 'computedHash'> {
  try {
    return { computedHash: hashCommit(stored) };
  } catch {
    return {};
  }
}
