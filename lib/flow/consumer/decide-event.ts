// What happens to the next event, decided on the checkpoint alone. Pure.

import type { Checkpoint } from '../../model/checkpoint.ts';
import type { Version } from '../../model/ids.ts';
import type { ReactContext } from './port.ts';

export type EventDecision =
  /** Of a type, or from a time, that the consumer does not want: resolved. */
  | { kind: 'unwanted' }
  /** Part of a replay whose effects are suppressed: resolved. */
  | { kind: 'suppressed' }
  /** The operator gave it up: passed with outcome `discarded`. */
  | { kind: 'discard' }
  /** Its tries are used up, and the last one ended without a word. */
  | { kind: 'give-up' }
  | { kind: 'react'; attempt: number; replay?: ReactContext['replay'] };

export interface EventQuestion {
  version: Version;
  isWanted: boolean;
  maxAttempts: number;
}

export function decideEvent(
  { attempting, redriving, replay }: Pick<Checkpoint, 'attempting' | 'redriving' | 'replay'>,
  { version, isWanted, maxAttempts }: EventQuestion,
): EventDecision {
  if (redriving?.version === version && redriving.decision === 'discard') return { kind: 'discard' };
  if (!isWanted) return { kind: 'unwanted' };
  const isReplayed = replay !== undefined && version <= replay.until;
  if (isReplayed && replay.suppressEffects) return { kind: 'suppressed' };
  const tries = attempting?.version === version ? attempting.count : 0;
  if (tries >= maxAttempts) return { kind: 'give-up' };
  return { kind: 'react', attempt: tries + 1, ...(isReplayed && { replay: { mode: 'rewind', id: replay.id } }) };
}

/**
 * A try that was begun alone and ended without a word counts; one among others counts for nobody. So after an unclean end,
 * and while a try's end is unknown, the stream is worked on alone.
 */
export const isSuspect = (attempting: Checkpoint['attempting'], previousEndedUncleanly: boolean): boolean =>
  previousEndedUncleanly || (attempting !== undefined && attempting.lastError === undefined);
