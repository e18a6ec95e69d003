// The end of an invocation as the engine plans for it: first no new react begins, then running ones are told to abort, and
// what is left is for one write and one send per stream. A killed function leaves no word; this is how it is avoided.

import type { Timers } from '../../platform/clock.ts';
import type { Invocation } from './engine-port.ts';
import { ABORT_BEFORE_END_MS, LEAST_USEFUL_MS, RESERVED_SHARE, STOP_BEFORE_END_MS } from './settings.ts';

export interface Deadline {
  remainingMs(): number;
  /** No react may begin any more. */
  isNear(): boolean;
  /** Not even a hand-over is sure to end in time. */
  isOver(): boolean;
  /** Half of the invocation is left: enough to blame an event that does not end. */
  leavesFairTime(): boolean;
  /** Aborts when running reacts must stop. */
  signal: AbortSignal;
  /** Ends the timer. */
  dispose(): void;
}

export function createDeadline(timers: Timers, invocation: Invocation): Deadline {
  const totalMs = invocation.remainingMs();
  const stopMs = Math.min(STOP_BEFORE_END_MS, totalMs * RESERVED_SHARE);
  const abortMs = stopMs * (ABORT_BEFORE_END_MS / STOP_BEFORE_END_MS);
  const abort = new AbortController();
  const done = new AbortController();
  const untilAbort = async () => {
    await timers.sleep(Math.max(0, totalMs - abortMs), done.signal);
    abort.abort(new DeadlineError());
  };
  // The sleep rejects when the batch ends before it: that is its purpose.
  untilAbort().catch(() => undefined);
  return {
    remainingMs: () => invocation.remainingMs(),
    isNear: () => invocation.remainingMs() <= stopMs || abort.signal.aborted,
    isOver: () => invocation.remainingMs() <= Math.max(abortMs / 2, LEAST_USEFUL_MS),
    leavesFairTime: () => invocation.remainingMs() >= totalMs / 2,
    signal: abort.signal,
    // With a reason of its own: the default one is an exception with a stack, made in every invocation.
    dispose: () => done.abort('the batch has ended'),
  };
}

/** What a react that did not end in time is blamed for. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
  constructor() {
    super('react did not end before the function would have been ended; remedy: make it faster, or raise the timeout');
  }
}
