// Where a given row stands, by its stream's checkpoint alone: the consumer does the work, the replay only looks. Pure.

import type { Checkpoint } from '../../model/checkpoint.ts';
import { LEASE_MARGIN_MS } from '../lease/leases.ts';
import type { PlanMode, PlannedStream } from '../plan/port.ts';

/** A row without news for so long gets its message again: it may have been lost, and twice does no harm. */
export const RESEND_MS = 60_000;
/** After so long without any news it counts as failed: three tries of an event with their pauses fit in. */
export const PATIENCE_MS = 15 * 60_000;

export type SeenCheckpoint = Pick<
  Checkpoint,
  | 'version'
  | 'generation'
  | 'parked'
  | 'rewind'
  | 'lastRewindId'
  | 'lastDeadLetter'
  | 'redelivered'
  | 'lease'
  | 'attempting'
  | 'updatedAt'
>;

export interface RowQuestion {
  mode: PlanMode;
  /** The replay's id as the consumer knows it. */
  scope: string;
  row: PlannedStream;
  checkpoint: SeenCheckpoint | undefined;
  now: number;
  /** When this worker sent its message last; absent: an earlier worker did. */
  sentAt?: number;
  /** When anything of the replay moved last, and how long workers have looked since then. */
  progressAt: number;
  quietMs: number;
}

export type RowState =
  | { kind: 'waiting' }
  /** The message is to be sent (again). */
  | { kind: 'send' }
  | { kind: 'done' }
  /** `isReached`: its events were delivered, and some of them are dead letters now. */
  | { kind: 'failed'; why: string; isReached?: true };

export function decideRow(question: RowQuestion): RowState {
  const { mode } = question;
  if (mode === 'rewind') return decideRewind(question);
  if (mode === 'redeliver' || mode === 'backfill') return decideRedelivery(question);
  return decideResume(question);
}

function decideResume(question: RowQuestion): RowState {
  const { row, checkpoint } = question;
  if (checkpoint === undefined || checkpoint.rewind !== undefined) return unfinished(question);
  return reached(question, checkpoint, row.to);
}

function decideRewind(question: RowQuestion): RowState {
  const { row, scope, checkpoint } = question;
  const isApplied = checkpoint?.lastRewindId === scope && checkpoint.rewind === undefined;
  if (checkpoint === undefined || !isApplied) return unfinished(question);
  return reached(question, checkpoint, row.to);
}

function reached(question: RowQuestion, checkpoint: SeenCheckpoint, to: number): RowState {
  const { version, generation, parked, lastDeadLetter } = checkpoint;
  if (version >= to) {
    const skipped = lastDeadLetter?.generation === generation && lastDeadLetter.version >= question.row.from;
    return skipped
      ? { kind: 'failed', why: `version ${lastDeadLetter.version} became a dead letter` }
      : { kind: 'done' };
  }
  if (parked !== undefined) return { kind: 'failed', why: `parked behind version ${parked.version}` };
  return unfinished(question);
}

function decideRedelivery(question: RowQuestion): RowState {
  const { mode, row, scope, checkpoint } = question;
  const { version = 0, redelivered, parked } = checkpoint ?? {};
  if (redelivered?.id === scope && redelivered.through >= row.to) {
    return failedIn(row, redelivered)
      ? { kind: 'failed', why: `${redelivered.failed} events of the stream failed again`, isReached: true }
      : { kind: 'done' };
  }
  if (version >= row.to) return unfinished(question);
  // A backfill goes to a stream as soon as its checkpoint has passed; behind a dead letter it never does.
  if (mode === 'backfill' && parked === undefined) return unfinished(question);
  if (parked !== undefined) return { kind: 'failed', why: `parked behind version ${parked.version}` };
  return { kind: 'failed', why: `its checkpoint is at ${version}, below what was selected` };
}

/** A stream's parts are redelivered one after the other: what failed in an earlier one is not this one's failure. */
function failedIn(
  { from, to }: PlannedStream,
  { failed, lastFailed }: NonNullable<Checkpoint['redelivered']>,
): boolean {
  // Written by a consumer whose code did not say which.
  if (lastFailed === undefined) return failed > 0;
  return lastFailed >= from && lastFailed <= to;
}

/**
 * When the row's stream was seen to get on. Of a redelivery only its own trace says so: whoever takes the lease changes the
 * checkpoint, also the function that an event of the redelivery ends each time, and live traffic.
 */
function heardAt({ mode, scope, checkpoint }: RowQuestion): number {
  const { redelivered, updatedAt = 0 } = checkpoint ?? {};
  if (mode !== 'redeliver' && mode !== 'backfill') return updatedAt;
  return redelivered?.id === scope ? (redelivered.at ?? updatedAt) : 0;
}

function unfinished(question: RowQuestion): RowState {
  const { checkpoint, now, sentAt, progressAt, quietMs } = question;
  const { lease, attempting } = checkpoint ?? {};
  const heard = heardAt(question);
  const isAtWork = lease !== undefined && lease.until + LEASE_MARGIN_MS >= now;
  const retryWaits = (attempting?.retryAt ?? 0) + RESEND_MS >= now;
  if (isAtWork || retryWaits) return { kind: 'waiting' };
  if (quietMs >= PATIENCE_MS && now - heard >= PATIENCE_MS) {
    return { kind: 'failed', why: `nothing was heard of it for ${PATIENCE_MS / 60_000} minutes` };
  }
  const unheardMs = now - Math.max(sentAt ?? progressAt, heard);
  return { kind: unheardMs >= RESEND_MS ? 'send' : 'waiting' };
}
