// What a look at a stream finds: the places of it that are not as they should be, and the good commits around them.

import type { StreamId } from '../../model/ids.ts';
import type { RawItem } from './raw-item.ts';

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

export interface Standing {
  version: number;
  seen: Seen;
}

export type Slot =
  /** The log knows what belongs here. */
  | { kind: 'known'; version: number; count: number; hashPrefix: string; recordedAt: number; seen?: Seen }
  | UnknownSlot
  /** Nothing belongs here. */
  | { kind: 'foreign'; version: number; seen: Seen };

/**
 * Beyond the log only the neighbours know: commits from `version` to `to`, whose last one has the hash that the next one names.
 * Without a next one: as many commits as follow each other.
 */
export interface UnknownSlot {
  kind: 'unknown';
  version: number;
  to?: number;
  nextHash?: string;
  /** What stands in it, ascending: commits of the slot that were damaged, or what never belonged there. */
  unreadable: Standing[];
  /** A human has said that what no copy is found for does not belong there. */
  isGarbageAllowed?: true;
}

/** What the stream directory should say of a stream, as the log has it. */
export interface DirectoryRepair {
  version: number;
  position: number;
  hashPrefix: string;
  /** When its page was written. */
  updatedAt: number;
  /** Of the item that is there; absent: there is none. */
  seenDigest?: string;
}

export interface Survey {
  streamId: StreamId;
  /** Last version in the log; 0: the log does not know the stream. */
  sequenced: number;
  slots: Slot[];
  /** Good commits around the slots, by version: what a copy must fit between. */
  links: ReadonlyMap<number, Link>;
  /** Items of the slots as they are stored. */
  raw: ReadonlyMap<number, RawItem>;
  /** Last version of the stored good commits. */
  end: number;
  /** The stream directory does not say what the log does. */
  directory?: { repair: DirectoryRepair; seen?: RawItem };
}

/**
 * The same, with what stands at the very end, beyond the log, taken for something that does not belong there when no copy of it is
 * found. Nobody can vouch for it: it may be garbage, or an acknowledged commit that was damaged before it was sequenced. A human
 * decides that.
 */
export const withoutUnknownEnd = (survey: Survey): Survey => ({
  ...survey,
  slots: survey.slots.map((slot) =>
    slot.kind === 'unknown' && slot.to === undefined ? { ...slot, isGarbageAllowed: true } : slot,
  ),
});

/** Everything that stands in a slot. */
export function standingIn(slot: Slot): readonly Standing[] {
  if (slot.kind === 'unknown') return slot.unreadable;
  return slot.seen === undefined ? [] : [{ version: slot.version, seen: slot.seen }];
}

/** The highest version in it at which anything stands. */
export const lastStanding = ({ version, unreadable }: UnknownSlot): number => unreadable.at(-1)?.version ?? version;
