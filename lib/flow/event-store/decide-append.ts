// The decisions of an append, pure: may it be written at the head, what does a commit mean that stands where it should go.
// Effects (reading the head, the put, waiting) are in append.ts.

import { type Commit, lastVersion } from '../../model/commit.ts';
import type { Json } from '../../model/event.ts';
import type { CheckedEvent } from './check-input.ts';
import type { Head } from './head.ts';
import type { ExpectedVersion } from './port.ts';

/** Somebody knows that the stream reached at least this version. */
export interface Floor {
  version: number;
  /** First hex digits of the hash of the commit that ends there. */
  hashPrefix: string;
  /** For the message: who knows. */
  knownBy: string;
}

export type HeadDecision =
  | { kind: 'write' }
  /** The place is taken: the commit at this version is this append's earlier try, or a conflict. */
  | { kind: 'taken'; version: number }
  | { kind: 'conflict' };

/** Version that the stream must end at; undefined for those that accept every end. */
export const expectedEnd = (expected: ExpectedVersion): number | undefined => {
  if (typeof expected === 'number') return expected;
  return expected === 'no-stream' ? 0 : undefined;
};

/** True when this head, which may be old, is enough to try the write without a read. */
export function isEnough(expected: ExpectedVersion, known: Head | undefined): known is Head {
  if (known === undefined) return false;
  if (expected === 'any') return true;
  if (expected === 'stream-exists') return known.version > 0;
  return known.version === expectedEnd(expected);
}

/** What to do, given where the stream ends now. */
export function decideOnHead(expected: ExpectedVersion, head: Head): HeadDecision {
  if (expected === 'any') return { kind: 'write' };
  if (expected === 'stream-exists') return { kind: head.version > 0 ? 'write' : 'conflict' };
  const end = expectedEnd(expected) as number;
  if (head.version === end) return { kind: 'write' };
  return head.version < end ? { kind: 'conflict' } : { kind: 'taken', version: end + 1 };
}

/** Damage that shows in the last commit alone: the stream ends before, or otherwise than, somebody has seen it. */
export function damageBelow(head: Head, floor: Floor): { version: number; damage: string } | undefined {
  if (head.version < floor.version) {
    const damage = `the stream ends at version ${head.version}, but ${floor.knownBy} knows version ${floor.version}`;
    return { version: head.version + 1, damage };
  }
  if (head.version === floor.version && !head.hash.startsWith(floor.hashPrefix)) {
    const damage = `its last commit has hash ${head.hash}, but ${floor.knownBy} knows ${floor.hashPrefix}`;
    return { version: head.version, damage };
  }
  return undefined;
}

export type FoundDecision =
  /** An earlier try of this append stored it. */
  | { kind: 'repeated' }
  | { kind: 'id-reused'; ids: string[]; difference: string }
  /** Somebody else's. */
  | { kind: 'other' }
  /** Nothing holds this version although the stream goes on after it. */
  | { kind: 'hole' };

/**
 * What the commit that should hold `version` says about an append that wanted to begin there. Content is type, data and,
 * when given, timestamp; correlation and causation ids belong to the try, not to the event.
 */
export function decideOnFound(
  events: readonly CheckedEvent[],
  version: number,
  found: Commit | undefined,
): FoundDecision {
  if (found === undefined || lastVersion(found) < version) return { kind: 'hole' };
  const stored = new Set<string>(found.events.map(({ id }) => id));
  const ids = events.map(({ id }) => id as string).filter((id) => stored.has(id));
  if (ids.length === 0) return { kind: 'other' };
  const reused = (difference: string): FoundDecision => ({ kind: 'id-reused', ids, difference });
  if (found.version !== version) return reused(`that commit begins at version ${found.version}`);
  if (found.count !== events.length)
    return reused(`that commit has ${found.count} events, this append ${events.length}`);
  for (const [index, event] of events.entries()) {
    const there = found.events[index] as Commit['events'][number];
    if (there.id !== event.id) return reused(`event ${index + 1} has the id "${there.id}" there, "${event.id}" here`);
    if (there.type !== event.type)
      return reused(`"${event.id}" has the type "${there.type}" there, "${event.type}" here`);
    if (!equalJson(there.data, event.data)) return reused(`"${event.id}" has other data`);
    if (event.timestamp !== undefined && event.timestamp !== there.metadata.timestamp.toISOString()) {
      return reused(
        `"${event.id}" happened at ${there.metadata.timestamp.toISOString()} there, ${event.timestamp} here`,
      );
    }
  }
  return { kind: 'repeated' };
}

/** The same JSON, whatever the order of members. -0 is 0, as JSON.stringify writes it. */
export function equalJson(left: Json, right: Json): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (Array.isArray(left)) {
    return (
      Array.isArray(right) &&
      left.length === right.length &&
      left.every((element, index) => equalJson(element, right[index] as Json))
    );
  }
  if (Array.isArray(right)) return false;
  const names = Object.keys(left);
  return (
    names.length === Object.keys(right).length &&
    names.every((name) => Object.hasOwn(right, name) && equalJson(left[name] as Json, right[name] as Json))
  );
}
