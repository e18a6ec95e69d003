// A replay: a plan that is being applied, row by row. It is one row of the Recovery table with its progress, and a second one
// that holds the consumer's place while it is not finished: one replay of a consumer at a time.

import type { ConsumerName } from '../../model/ids.ts';
import type { Write } from '../../platform/dynamodb/port.ts';
import type { PlanMode, PlanOptions } from '../plan/port.ts';

export type ReplayStatus =
  | 'running'
  /** By an operator. */
  | 'paused'
  /** By itself: too many of its streams failed. Resume it or cancel it. */
  | 'stopped'
  /** What was given to the consumer goes on; nothing more is given. */
  | 'cancelled'
  | 'done';

export interface FailedRow {
  streamId: string;
  why: string;
}

export interface Replay {
  /** The plan's: a plan is applied once. */
  id: string;
  consumer: ConsumerName;
  mode: PlanMode;
  /** What `react` sees as the replay's id, and what single effects are promised for. */
  scope: string;
  options: PlanOptions;
  status: ReplayStatus;
  rows: number;
  events: number;
  /** First row that was not given to the consumer yet. */
  next: number;
  /** Rows that were given and have no end yet. */
  pending: number[];
  doneRows: number;
  doneEvents: number;
  failedRows: number;
  /** Of these: not delivered at all. The others have dead letters, which wait for a redrive. */
  unreachedRows: number;
  /** The first few that failed. */
  failures: FailedRow[];
  /** Rows that had ended when it was resumed last: the failure rate counts from there. */
  baseDone: number;
  baseFailed: number;
  /** When the rate allows the next row. */
  nextAt: number;
  /** When a row was given or ended last. */
  progressAt: number;
  /** Milliseconds that workers have looked since then: a time without a worker is not the consumer's silence. */
  quietMs: number;
  /** Milliseconds that workers spent on it: what the measured rate and the ETA rest on. */
  activeMs: number;
  /** Why it is paused, stopped or cancelled. */
  note?: string;
  requestedBy: string;
  reason: string;
  startedAt: number;
  updatedAt: number;
  finishedAt?: number;
  format: number;
}

const PROGRESS = [
  'next',
  'pending',
  'doneRows',
  'doneEvents',
  'failedRows',
  'unreachedRows',
  'failures',
  'nextAt',
  'progressAt',
  'quietMs',
  'activeMs',
] as const satisfies readonly (keyof Replay)[];

/** What a worker learned. Absolute values: the worker's token keeps late ones out. */
export type ReplayProgress = Pick<Replay, (typeof PROGRESS)[number]>;

export const progressOf = (replay: ReplayProgress): ReplayProgress =>
  Object.fromEntries(PROGRESS.map((name) => [name, replay[name]])) as unknown as ReplayProgress;

export type CreateResult =
  | { kind: 'created' }
  /** By this very plan, before: a retry. */
  | { kind: 'exists' }
  /** Another replay has the consumer's place. */
  | { kind: 'busy'; replayId: string };

export interface Replays {
  /** The replay, the consumer's place, the plan's status and `alongside` in one transaction. */
  create(replay: Replay, alongside: readonly Write[]): Promise<CreateResult>;
  /** Consistent. */
  get(id: string): Promise<Replay | undefined>;
  /** The replay as it is after the change; undefined: it was in none of `from`, nothing was written. */
  transition(
    id: string,
    from: readonly ReplayStatus[],
    to: { status: ReplayStatus; note: string },
    now: number,
  ): Promise<Replay | undefined>;
  /** A worker with this fencing token begins; false: a newer one has begun. */
  begin(id: string, token: number): Promise<boolean>;
  /** Answers the replay as it is now, whose status somebody may have changed; undefined: a newer worker has begun, stop. */
  progress(id: string, token: number, progress: ReplayProgress, now: number): Promise<Replay | undefined>;
  /** False: it is not running any more, or not this worker's. */
  finish(replay: Replay, token: number, now: number): Promise<boolean>;
  /** False: this request of the registry was claimed less than `againMs` ago. */
  claimBackfill(consumer: ConsumerName, requestedAt: number, now: number, againMs: number): Promise<boolean>;
  /** Those that are not finished, paused ones too. */
  open(): AsyncIterable<Replay>;
}

export const FINISHED: readonly ReplayStatus[] = ['done', 'cancelled'];
export const isFinished = ({ status }: Pick<Replay, 'status'>): boolean => FINISHED.includes(status);
export const FAILURES_LISTED = 10;
