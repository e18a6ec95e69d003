// One step of the archive: look at the export that is under way, or start the next one. Its intention is written down before
// the request, with the token that makes a repeated request the same export, so a crash anywhere loses and doubles nothing.
// A failed export is tried again for the same window: the chain has no hole.

import { EventRecoveryError, isEventRecoveryError } from '../../model/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logging.ts';
import type { Metrics } from '../../platform/metrics.ts';
import { decideExport } from './decide-export.ts';
import type { ArchiveRows, ArchiveState, PendingExport, TableExports } from './port.ts';

export interface ArchiveDeps {
  rows: ArchiveRows;
  exports: TableExports;
  clock: Clock;
  logger: Logger;
  metrics: Pick<Metrics, 'count'>;
  /** Span of an increment, 15 minutes to 24 hours. */
  spanMs: number;
}

export interface ArchiveAnswer {
  result: 'started' | 'in-progress' | 'completed' | 'failed' | 'waiting';
  coveredTo?: number;
  /** How far the archive is behind, in seconds; absent without a baseline. */
  lagSeconds?: number;
  pending?: PendingExport;
  failures: number;
  lastFailure?: string;
}

export const ARCHIVE_METRICS = {
  /** 1 when what the archive covers is not older than the bound: its absence is what an alarm watches. */
  upToDate: 'ArchiveUpToDate',
  lagSeconds: 'ArchiveLagSeconds',
  exportsCompleted: 'ArchiveExportsCompleted',
  exportsFailed: 'ArchiveExportsFailed',
} as const;

/** Two windows, and two hours for an export itself, which AWS gives no time for. */
export const lagBoundMs = (spanMs: number): number => 2 * spanMs + 2 * 60 * 60_000;

/** @throws EventRecoveryError `ARCHIVE_IMPOSSIBLE` when the table has no point-in-time recovery */
export async function archiveEvents(deps: ArchiveDeps): Promise<ArchiveAnswer> {
  const answer = await step(deps);
  const { lagSeconds } = answer;
  if (lagSeconds !== undefined) {
    deps.metrics.count(ARCHIVE_METRICS.lagSeconds, lagSeconds, 'Seconds');
    if (lagSeconds * 1_000 <= lagBoundMs(deps.spanMs)) deps.metrics.count(ARCHIVE_METRICS.upToDate, 1);
  }
  deps.logger.info('archive', { ...answer });
  return answer;
}

/** What the archive covers and what is under way, without doing anything. */
export const archiveStatus = async ({ rows, clock }: Pick<ArchiveDeps, 'rows' | 'clock'>): Promise<ArchiveAnswer> => {
  const state = await rows.state();
  return answerOf(state.pending === undefined ? 'waiting' : 'in-progress', state, clock.now());
};

async function step(deps: ArchiveDeps): Promise<ArchiveAnswer> {
  const state = await deps.rows.state();
  return state.pending === undefined ? startNext(deps, state) : follow(deps, state, state.pending);
}

/**
 * A full export of the table as it is now, beside the chain: before something risky, or to have a copy of what the chain does
 * not cover yet. While another export is under way that one is answered, and nothing is started.
 */
export async function exportNow(deps: ArchiveDeps): Promise<ArchiveAnswer> {
  const state = await deps.rows.state();
  if (state.pending !== undefined) return follow(deps, state, state.pending);
  const { latest } = await windowOf(deps);
  const to = Math.floor(latest / 1_000) * 1_000;
  const clientToken = `archive-now-${to / 1_000}-${state.failures}`;
  return intend(deps, state, { kind: 'full', from: to, to, clientToken, isExtra: true, requestedAt: deps.clock.now() });
}

/** @throws EventRecoveryError `ARCHIVE_IMPOSSIBLE` */
async function windowOf(deps: ArchiveDeps): Promise<{ earliest: number; latest: number }> {
  const window = await deps.exports.window();
  if (window !== undefined) return window;
  throw new EventRecoveryError(
    'ARCHIVE_IMPOSSIBLE',
    'the Events table has no point-in-time recovery, which exports need; remedy: enable it on the table',
    { retryable: true },
  );
}

async function startNext(deps: ArchiveDeps, state: ArchiveState): Promise<ArchiveAnswer> {
  const now = deps.clock.now();
  const window = await windowOf(deps);
  const next = decideExport(state, { now, ...window, spanMs: deps.spanMs });
  if (next.kind === 'wait') return answerOf('waiting', state, now);
  if (next.broken !== undefined) {
    deps.logger.error('the chain of exports is broken: a new one begins', { broken: next.broken });
    deps.metrics.count(ARCHIVE_METRICS.exportsFailed, 1);
  }
  return intend(deps, state, { ...next.order, requestedAt: now });
}

/** Written down before it is asked for. */
async function intend(deps: ArchiveDeps, state: ArchiveState, pending: PendingExport): Promise<ArchiveAnswer> {
  const now = deps.clock.now();
  const intended = { ...state, pending, updatedAt: now };
  if (!(await deps.rows.save(intended, state.revision))) return answerOf('waiting', await deps.rows.state(), now);
  return request(deps, { ...intended, revision: state.revision + 1 }, pending);
}

async function request(deps: ArchiveDeps, state: ArchiveState, pending: PendingExport): Promise<ArchiveAnswer> {
  const now = deps.clock.now();
  let exportArn: string;
  try {
    exportArn = await deps.exports.start(pending);
  } catch (error) {
    if (!isEventRecoveryError(error) || error.retryable) throw error;
    return giveUp(deps, state, error.message);
  }
  const started = { ...state, pending: { ...pending, exportArn }, updatedAt: now };
  await deps.rows.save(started, state.revision);
  return answerOf('started', started, now);
}

async function follow(deps: ArchiveDeps, state: ArchiveState, pending: PendingExport): Promise<ArchiveAnswer> {
  if (pending.exportArn === undefined) return request(deps, state, pending);
  const now = deps.clock.now();
  const status = await deps.exports.describe(pending.exportArn);
  if (status.kind === 'in-progress') return answerOf('in-progress', state, now);
  if (status.kind === 'failed') return giveUp(deps, state, status.reason);
  const { kind, from, to, exportArn, isExtra = false } = pending;
  const { pending: _, lastFailure: __, ...rest } = state;
  const done: ArchiveState = {
    ...rest,
    ...(!isExtra && { coveredTo: to, ...(kind === 'full' && { baselineAt: to }) }),
    failures: 0,
    updatedAt: now,
  };
  const { manifestKey, items } = status;
  const completed = { kind, exportArn, manifestKey, from, to, completedAt: now, ...(items !== undefined && { items }) };
  await deps.rows.save(done, state.revision, completed);
  deps.metrics.count(ARCHIVE_METRICS.exportsCompleted, 1);
  return answerOf('completed', done, now);
}

/** The same window is due again at the next step, under another token. */
async function giveUp(deps: ArchiveDeps, state: ArchiveState, reason: string): Promise<ArchiveAnswer> {
  const now = deps.clock.now();
  const { pending, ...rest } = state;
  const failed = { ...rest, failures: state.failures + 1, lastFailure: reason, updatedAt: now };
  await deps.rows.save(failed, state.revision);
  deps.logger.error('an export failed', { reason, ...pending });
  deps.metrics.count(ARCHIVE_METRICS.exportsFailed, 1);
  return answerOf('failed', failed, now);
}

const answerOf = (result: ArchiveAnswer['result'], state: ArchiveState, now: number): ArchiveAnswer => ({
  result,
  ...(state.coveredTo !== undefined && {
    coveredTo: state.coveredTo,
    lagSeconds: Math.max(0, Math.round((now - state.coveredTo) / 1_000)),
  }),
  ...(state.pending !== undefined && { pending: state.pending }),
  failures: state.failures,
  ...(state.lastFailure !== undefined && { lastFailure: state.lastFailure }),
});
