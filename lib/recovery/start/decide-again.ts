// Is a recovery started again for a finding that was seen before? Pure. What the last one knew and left is not tried again: a
// person has to look. What came after it is repaired, in growing intervals, so that damage that keeps coming is no endless loop.

import type { ExecutionEnd } from './executions.ts';
import type { Start } from './starts.ts';

/** When what is seen now was found first: the oldest and the youngest part of it, milliseconds since 1970. */
export interface Found {
  from: number;
  to: number;
}

export type Again =
  /** Its recovery is at work, or saw what this sign tells. */
  | { kind: 'known' }
  /** `tries` of the recovery that is to be started. */
  | { kind: 'start'; tries: number }
  | { kind: 'did-not-help' };

/** After a day a finding that came back is a new one. */
export const REMEMBERED_MS = 24 * 60 * 60_000;
/** Ends of executions that had not begun to repair. */
const NOT_BEGUN = new Set(['AlreadyRecovering', 'ValidationFailed']);
/** Recoveries in a row that helped, and may follow each other at once: new damage need not come alone. */
const AT_ONCE_MAX = 2;
/** 15, 30, 60 ... minutes: with a day as the longest, a flood of damage starts at most eight recoveries in its first day. */
const PAUSE_MS = 15 * 60_000;

/**
 * @param before the last recovery for this finding
 * @param seenAt when the sign was given
 */
export function decideAgain(
  before: Pick<Start, 'startedAt' | 'tries'>,
  { status, error }: ExecutionEnd,
  { found, seenAt, now }: { found: Found; seenAt: number; now: number },
): Again {
  if (status === 'RUNNING' || seenAt <= before.startedAt) return { kind: 'known' };
  if (NOT_BEGUN.has(error ?? '') || status === 'FORGOTTEN') return { kind: 'start', tries: before.tries };
  if (now - before.startedAt > REMEMBERED_MS) return { kind: 'start', tries: 1 };
  const isNew = found.to > before.startedAt;
  const hasHelped = status === 'SUCCEEDED' && found.from > before.startedAt;
  const pauses = hasHelped ? before.tries - AT_ONCE_MAX : before.tries;
  const pauseMs = pauses <= 0 ? 0 : PAUSE_MS * 2 ** (pauses - 1);
  return isNew && now - before.startedAt >= pauseMs
    ? { kind: 'start', tries: before.tries + 1 }
    : { kind: 'did-not-help' };
}
