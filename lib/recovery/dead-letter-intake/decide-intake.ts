// What to do with a message that a queue gave up on: decided by the state of its stream, not by the fact that it arrived.
// Pure. The intake parks nothing itself: the engine does, under its lease, with its own count of attempts; a wake-up is all
// that it needs for that.

import type { Checkpoint } from '../../model/checkpoint.ts';
import type { Version } from '../../model/ids.ts';

/** Wake-ups for a stream that makes no progress: 30 s, 1, 2, 4, 8 minutes apart. Then it is owed to the gap scan. */
export const INTAKE_ROUNDS_MAX = 5;
const FIRST_DELAY_SECONDS = 30;

export type IntakeDecision =
  /** Nothing is missing; a line in the log is its trace. */
  | { kind: 'drop'; because: 'resolved' | 'waits-behind-dead-letter' }
  | { kind: 'wake-up'; delaySeconds: number }
  /** The queue gave up on it again and again: an open-gap row and an alert, no more wake-ups from here. */
  | { kind: 'owe'; from: Version };

export interface IntakeState {
  checkpoint: Pick<Checkpoint, 'version' | 'wanted' | 'parked' | 'rewind'> | undefined;
  /** Wake-ups that the intake sent since the checkpoint moved last. */
  rounds: number;
}

/** @param version the stream has reached at least this version, says the message */
export function decideIntake({ checkpoint, rounds }: IntakeState, version: number): IntakeDecision {
  const { version: reached = 0, wanted = 0, parked, rewind } = checkpoint ?? {};
  // A rewind that waits takes the checkpoint back and un-parks: what is beyond its target is asked for again.
  const resolved = Math.min(reached, rewind?.to ?? reached);
  if (version <= resolved) return { kind: 'drop', because: 'resolved' };
  if (parked !== undefined && rewind === undefined && version <= wanted) {
    return { kind: 'drop', because: 'waits-behind-dead-letter' };
  }
  if (rounds >= INTAKE_ROUNDS_MAX) return { kind: 'owe', from: (resolved + 1) as Version };
  return { kind: 'wake-up', delaySeconds: FIRST_DELAY_SECONDS * 2 ** rounds };
}
