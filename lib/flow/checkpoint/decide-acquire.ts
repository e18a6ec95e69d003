// What to do when the lease could not simply be taken: decided on the item as it was at the moment of the refusal. Pure.
// Every final answer that lets a wake-up be acknowledged is one for which the trace is already in the item, or is put there
// by a write that repeats in its condition what was decided on.

import type { Version } from '../../model/ids.ts';
import type { CheckpointItem } from './item.ts';
import { NOBODY } from './item.ts';
import { expiredBefore, isBackedUp, LEASE_MARGIN_MS } from './lease.ts';
import type { AcquireInput, AcquireResult } from './port.ts';

/** What a loser must still find unchanged when it raises `wanted`. */
export type StillTrue =
  | { state: 'held'; token: number }
  | { state: 'parked'; deadLetterId: string }
  | { state: 'deferred'; token: number; retryAt: number };

export type AcquireStep =
  /** Try to take the lease; `raise`: and set `wanted`, which must not be higher already. */
  | { kind: 'take'; raise: boolean }
  /** There is no checkpoint yet, and the caller's start version was not known. */
  | { kind: 'take-first' }
  /** Leave the trace, then answer. `backUpBy`: with a wake-up that comes then. `raises`: less was wanted so far. */
  | {
      kind: 'raise';
      stillTrue: StillTrue;
      raises: boolean;
      backUpBy?: number;
      then: Exclude<AcquireResult, { kind: 'acquired' }>;
    }
  | { kind: 'answer'; result: Exclude<AcquireResult, { kind: 'acquired' }> }
  /** An earlier try of this very call had taken the lease; its response was lost. */
  | { kind: 'acquired-before'; item: CheckpointItem; previousEndedUncleanly: boolean };

type Asked = Pick<AcquireInput, 'owner' | 'wanted' | 'now' | 'purpose'>;

export function decideAcquire(item: CheckpointItem | undefined, asked: Asked): AcquireStep {
  const { owner, wanted, now, purpose } = asked;
  const redelivers = purpose === 'redeliver';
  if (item === undefined) {
    return redelivers
      ? { kind: 'answer', result: { kind: 'up-to-date', version: 0 as Version } }
      : { kind: 'take-first' };
  }
  if (item.leaseOwner === owner) {
    return { kind: 'acquired-before', item, previousEndedUncleanly: item.takenFrom !== NOBODY };
  }
  const isHeld = item.leaseOwner !== undefined && (item.leaseUntil ?? 0) >= expiredBefore(now);
  const leaveTrace = (
    stillTrue: StillTrue,
    then: Exclude<AcquireResult, { kind: 'acquired' }>,
    backUpBy?: number,
  ): AcquireStep => {
    const raises = item.wanted < wanted;
    const needsBackUp = backUpBy !== undefined && !isBackedUp(item.backUpAt, now, backUpBy);
    if (redelivers || !(raises || needsBackUp)) return { kind: 'answer', result: then };
    return { kind: 'raise', stillTrue, raises, ...(needsBackUp && { backUpBy }), then };
  };

  if (isHeld) {
    const until = item.leaseUntil ?? 0;
    return leaveTrace({ state: 'held', token: item.token }, { kind: 'held', until }, until + LEASE_MARGIN_MS);
  }
  const raise = item.wanted <= wanted;
  if (redelivers) return { kind: 'take', raise: false };
  if (item.rewind !== undefined) return { kind: 'take', raise };
  if (item.parked !== undefined) {
    const { deadLetterId } = item.parked;
    return leaveTrace({ state: 'parked', deadLetterId }, { kind: 'parked', deadLetterId });
  }
  const retryAt = item.attempting?.retryAt ?? 0;
  if (purpose === 'deliver' && retryAt > now) {
    const stillTrue = { state: 'deferred', token: item.token, retryAt } as const;
    return leaveTrace(stillTrue, { kind: 'deferred', until: retryAt }, retryAt);
  }
  const nothingWaits = item.leaseOwner === undefined && item.wanted <= item.version;
  if (nothingWaits && item.version >= wanted) {
    return { kind: 'answer', result: { kind: 'up-to-date', version: item.version } };
  }
  return { kind: 'take', raise };
}
