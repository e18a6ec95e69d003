// The head of a stream as its directory item says it, and what the log says at that place. Pure; every value may be garbage.

import { HASH_PREFIX_LENGTH, PAGE_FORMAT } from '../../flow/log/pages.ts';
import type { LogEntry } from '../../flow/log/port.ts';
import type { Item } from './item.ts';
import { isVersion } from './item.ts';
import type { Damage } from './types.ts';

export interface SequencedHead {
  version: number;
  position: number;
  hashPrefix: string;
  updatedAt: number;
}

/** What the log answers for one position. */
export type LogAnswer =
  | { kind: 'entry'; entry: LogEntry; sequencedAt: number }
  /** No page holds it. */
  | { kind: 'nothing' }
  /** A page holds it and cannot be read: that is damage of its own. */
  | { kind: 'unreadable' };

export type HeadVerdict =
  /** No directory item. */
  | { kind: 'absent' }
  /** Sequenced up to here: directory and log agree, or the log cannot be asked. */
  | { kind: 'sequenced'; head: SequencedHead; isConfirmed: boolean }
  /** The directory item is wrong: how far the stream was sequenced is not known. */
  | { kind: 'damaged'; damage: Damage };

const HASH_PREFIX = new RegExp(`^[0-9a-f]{${HASH_PREFIX_LENGTH}}$`);
const ATTRIBUTES = ['pk', 'sk', 'version', 'position', 'hashPrefix', 'updatedAt', 'format'];

/** The item's values, or the reason why they are none. */
export function parseHead(item: Item): SequencedHead | { problem: string } {
  const { version, position, hashPrefix, updatedAt, format } = item;
  if (!isVersion(version)) return { problem: `its version is ${shortly(version)}` };
  if (!isVersion(position)) return { problem: `its position is ${shortly(position)}` };
  if (typeof hashPrefix !== 'string' || !HASH_PREFIX.test(hashPrefix)) {
    return { problem: `its hashPrefix is ${shortly(hashPrefix)}` };
  }
  if (!Number.isSafeInteger(updatedAt) || (updatedAt as number) < 0) {
    return { problem: `its updatedAt is ${shortly(updatedAt)}` };
  }
  if (!isVersion(format) || format > PAGE_FORMAT) {
    return { problem: `its format is ${shortly(format)}, this code knows ${PAGE_FORMAT}` };
  }
  const extra = Object.keys(item).find((name) => !ATTRIBUTES.includes(name));
  if (extra !== undefined) return { problem: `it has an attribute "${shortly(extra)}", which no directory item has` };
  return { version, position, hashPrefix, updatedAt: updatedAt as number };
}

/** @param answer the log's, for the position that `parseHead` gives */
export function judgeHead(streamId: string, item: Item | undefined, answer: LogAnswer | undefined): HeadVerdict {
  if (item === undefined) return { kind: 'absent' };
  const head = parseHead(item);
  if ('problem' in head) return { kind: 'damaged', damage: directoryDamage(streamId, head.problem, item) };
  if (answer?.kind !== 'entry') return { kind: 'sequenced', head, isConfirmed: false };
  const { entry, sequencedAt } = answer;
  const differs = difference(streamId, head, entry, sequencedAt);
  if (differs === undefined) return { kind: 'sequenced', head, isConfirmed: true };
  return { kind: 'damaged', damage: directoryDamage(streamId, differs, item) };
}

function difference(streamId: string, head: SequencedHead, entry: LogEntry, sequencedAt: number): string | undefined {
  const end = entry.version + entry.count - 1;
  if (entry.streamId !== streamId) return `the log holds stream "${shortly(entry.streamId)}" at its position`;
  if (entry.position !== head.position)
    return `its position ${head.position} is inside the commit at ${entry.position}`;
  if (end !== head.version) return `the log's entry at its position ends at version ${end}, not ${head.version}`;
  if (entry.hashPrefix !== head.hashPrefix) return `its hashPrefix is not the log's, ${shortly(entry.hashPrefix)}`;
  if (sequencedAt !== head.updatedAt) return `its updatedAt is not the time of its page, ${sequencedAt}`;
  return undefined;
}

export const directoryDamage = (streamId: string, problem: string, item: Item): Damage => ({
  kind: 'directory-mismatch',
  streamId,
  from: 0,
  to: 0,
  detail: `the directory item is not what the log says: ${problem}`,
  evidence: { version: shortly(item.version), position: shortly(item.position) },
});

const SHOWN_MAX = 80;
/** Garbage, short enough for a sentence. */
export const shortly = (value: unknown): string => {
  const text = typeof value === 'string' ? value : typeof value === 'object' ? 'no number or text' : String(value);
  return text.slice(0, SHOWN_MAX);
};
