// What the schedule decides about a recovery that is at work, was cut off, or waits. Pure.

import type { ExecutionEnd } from './executions.ts';
import type { Start } from './starts.ts';

/** In place of a consumer's name: every one. */
export const ALL = '*';
/** What a recovery that was cut off had begun has ended by then: Lambda's longest (Lambda quotas). */
export const UNDER_WAY_MS = 15 * 60_000;
const HAS_ENDED = new Set(['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED']);

/** Are the leases of this execution nobody's? Of one that Step Functions does not know, they end by themselves. */
export const isOver = ({ status, endedAt }: ExecutionEnd, now: number): boolean =>
  HAS_ENDED.has(status) && endedAt !== undefined && now - endedAt >= UNDER_WAY_MS;

/** `begun`: there is nothing to look after any more; how it ended is for the next sign. */
export type After = 'start' | 'wait' | 'at-work' | 'begun' | 'nothing';

/**
 * @param end of its execution; absent for one that waits
 * @param taken consumers that are being recovered
 */
export function decideAfter(
  { state, consumer }: Pick<Start, 'state' | 'consumer'>,
  end: ExecutionEnd | undefined,
  taken: ReadonlySet<string>,
): After {
  if (state === 'begun') return 'nothing';
  if (end?.status === 'RUNNING') return 'at-work';
  if (end !== undefined && end.error !== 'AlreadyRecovering') return 'begun';
  const isTaken = consumer === undefined ? taken.size > 0 : taken.has(consumer) || taken.has(ALL);
  return isTaken ? 'wait' : 'start';
}
