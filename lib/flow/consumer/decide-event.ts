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
  /** Of the wake-up, when a replay sent it: its id, and up to which version it asked. */
  asked?: { id: string; to: Version };
}

export function decideEvent(
  {
    attempting,
    redriving,
    replay,
    lastRewindId,
  }: Pick<Checkpoint, 'attempting' | 'redriving' | 'replay' | 'lastRewindId'>,
  { version, isWanted, maxAttempts, asked }: EventQuestion,
): EventDecision {
  if (redriving?.version === version && redriving.decision === 'discard') return { kind: 'discard' };
  if (!isWanted) return { kind: 'unwanted' };
  const isReplayed = replay !== undefined && version <= replay.until;
  if (isReplayed && replay.suppressEffects) return { kind: 'suppressed' };
  const tries = attempting?.version === version ? attempting.count : 0;
  if (tries >= maxAttempts) return { kind: 'give-up' };
  const react = { kind: 'react', attempt: tries + 1 } as const;
  if (isReplayed) return { ...react, replay: { mode: 'rewind', id: replay.id } };
  // What a rewind has repeated ends at `until`: the rest comes as it would have come without it.
  const isResumed = asked !== undefined && version <= asked.to && asked.id !== lastRewindId;
  return isResumed ? { ...react, replay: { mode: 'resume', id: asked.id } } : react;
}

/**
 * A try that was begun alone and ended without a word counts; one among others counts for nobody. So after an unclean end,
 * and while a try's end is unknown, the stream is worked on alone.
 */
export const isSuspect = (attempting: Checkpoint['attempting'], previousEndedUncleanly: boolean): boolean =>
  previousEndedUncleanly || (attempting !== undefined && attempting.lastError === undefined);
