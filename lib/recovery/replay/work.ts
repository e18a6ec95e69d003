// Works on one replay until it is finished, somebody stops it, or the time is over; the schedule goes on with what is left. Rows
// are given to the consumer at the replay's rate, as long as few enough have no end yet; what has ended is learned from the
// checkpoints. One worker per replay (a lease, renewed), the progress is written under its token. A crash anywhere gives at
// most the last 25 rows once more, and that changes nothing.

import type { WakeUps } from '../../flow/consumer/port.ts';
import type { Registry } from '../../flow/registry/port.ts';
import type { QueueMessage } from '../../model/wake-up.ts';
import type { World } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logging.ts';
import type { Metrics } from '../../platform/metrics.ts';
import type { LeaseHandle, Leases } from '../lease/leases.ts';
import { ROWS_PER_STEP, STEP_MS } from '../plan/cost.ts';
import type { PlannedStream, Plans } from '../plan/port.ts';
import { decideRow } from './decide-row.ts';
import { type GiveDeps, prepareRows } from './give.ts';
import { FAILURES_LISTED, progressOf, type Replay, type Replays } from './port.ts';
import { createRowReader, type RowReader } from './row-reader.ts';

export interface WorkDeps extends Omit<GiveDeps, 'clock'> {
  registry: Pick<Registry, 'get' | 'completeBackfill'>;
  plans: Pick<Plans, 'chunk'>;
  replays: Replays;
  leases: Leases;
  wakeUps: WakeUps;
  /** `clock` = the server clock. */
  world: Pick<World, 'clock' | 'timers' | 'ids'>;
  logger: Logger;
  metrics: Metrics;
}

export interface WorkTime {
  remainingMs(): number;
  requestId: string;
}

/** Rows without an end at the same time: ten invocations of the consumer with batches of ten; its live messages wait no longer. */
export const WINDOW_ROWS = 100;
/** Rows that must have ended before their failure rate says something. */
export const RATE_COUNTS_FROM = 10;
/** How often rows are looked at that have no end yet. */
const LOOK_MS = 1_000;
/** Time kept for the last writes of an invocation. */
const RESERVE_MS = 5_000;
/** A dead worker keeps the next one out for so long. */
const LEASE_MS = 60_000;
const RENEW_MS = 20_000;
/** The rate is an average: what was not used of the last second may follow at once. */
const BURST_MS = 1_000;

/** Answers the replay as it is afterwards; unchanged when somebody else is at work on it. */
export async function workOnReplay(deps: WorkDeps, id: string, time: WorkTime): Promise<Replay> {
  const { clock, ids } = deps.world;
  const lease = await deps.leases.acquire(`replay#${id}`, ids.next(), clock.now(), LEASE_MS);
  if (lease.kind === 'held') return stored(deps, id);
  try {
    return await work(deps, lease, await stored(deps, id), time);
  } finally {
    await deps.leases.release(lease);
  }
}

async function stored({ replays }: Pick<WorkDeps, 'replays'>, id: string): Promise<Replay> {
  const replay = await replays.get(id);
  if (replay === undefined) throw new Error(`replay ${id} has no row`);
  return replay;
}

interface Run {
  deps: WorkDeps;
  rows: RowReader;
  queueUrl: string;
  /** What this worker sent for a row last, and when. */
  sent: Map<number, { at: number; kind: QueueMessage['kind'] }>;
}

async function work(deps: WorkDeps, lease: LeaseHandle, before: Replay, time: WorkTime): Promise<Replay> {
  const { clock, timers } = deps.world;
  if (before.status !== 'running' || !(await deps.replays.begin(before.id, lease.token))) return before;
  const consumer = await deps.registry.get(before.consumer);
  if (consumer?.status !== 'active') return stopped(deps, before, `consumer "${before.consumer}" is not deployed`);
  const run: Run = { deps, rows: createRowReader(deps.plans, before.id), queueUrl: consumer.queueUrl, sent: new Map() };
  let replay = before;
  let renewAt = clock.now() + RENEW_MS;
  for (;;) {
    if (replay.status !== 'running' || time.remainingMs() <= RESERVE_MS) return replay;
    const startedAt = clock.now();
    if (startedAt >= renewAt) {
      if (!(await deps.leases.renew(lease, startedAt, LEASE_MS))) return stored(deps, replay.id);
      renewAt = startedAt + RENEW_MS;
    }
    const seen = await look(run, replay);
    const given = await give(run, seen);
    const isMoved = given.next > replay.next || ended(given) > ended(replay);
    const now = clock.now();
    const progress = isMoved ? { ...given, progressAt: now, quietMs: 0 } : given;
    const saved = await deps.replays.progress(replay.id, lease.token, progressOf(progress), now);
    if (saved === undefined) return stored(deps, replay.id);
    replay = saved;
    count(deps, before.consumer, replay, seen, given);
    if (replay.status !== 'running') return replay;
    const why = tooManyFailures(replay);
    if (why !== undefined) return stopped(deps, replay, why);
    if (replay.next === replay.rows && replay.pending.length === 0) return finished(deps, lease, replay);
    const hasMore = given.next > seen.next && given.next < replay.rows && given.nextAt <= now;
    if (!hasMore) await timers.sleep(Math.max(1, Math.min(LOOK_MS, pauseMs(given, now))));
    const spentMs = clock.now() - startedAt;
    replay = { ...replay, activeMs: replay.activeMs + spentMs, quietMs: replay.quietMs + spentMs };
  }
}

const ended = ({ doneRows, failedRows }: Pick<Replay, 'doneRows' | 'failedRows'>): number => doneRows + failedRows;

/** Until the rate allows the next row, when only that is in the way. */
const pauseMs = ({ next, rows, pending, nextAt }: Replay, now: number): number =>
  next < rows && pending.length < WINDOW_ROWS && nextAt > now ? nextAt - now : LOOK_MS;

/** What has ended; messages of what was not heard of for long are sent again. */
async function look(run: Run, replay: Replay): Promise<Replay> {
  if (replay.pending.length === 0) return replay;
  const { checkpoints, world } = run.deps;
  const rows = await Promise.all(replay.pending.map((number) => run.rows.at(number)));
  const keys = rows.map(({ streamId }) => ({ consumer: replay.consumer, streamId }));
  const found = new Map((await checkpoints.getMany(keys)).map((one) => [one.streamId, one]));
  const now = world.clock.now();
  const { mode, scope, progressAt, quietMs } = replay;
  const next: Replay = { ...replay, pending: [], failures: [...replay.failures] };
  const again: number[] = [];
  for (const [index, row] of rows.entries()) {
    const number = replay.pending[index] as number;
    const checkpoint = found.get(row.streamId);
    const sent = run.sent.get(number);
    const state = decideRow({ mode, scope, row, checkpoint, now, sentAt: sent?.at, progressAt, quietMs });
    if (state.kind === 'done' || state.kind === 'failed') run.sent.delete(number);
    if (state.kind === 'done') {
      next.doneRows += 1;
      next.doneEvents += row.events;
    } else if (state.kind === 'failed') {
      next.failedRows += 1;
      if (!state.isReached) next.unreachedRows += 1;
      if (next.failures.length < FAILURES_LISTED) next.failures.push({ streamId: row.streamId, why: state.why });
    } else {
      next.pending.push(number);
      // Its stream has passed: now the events themselves.
      const isReady = mode === 'backfill' && (checkpoint?.version ?? 0) >= row.to && sent?.kind !== 'redeliver';
      if (state.kind === 'send' || isReady) again.push(number);
    }
  }
  await send(run, next, again);
  return next;
}

/** As many rows as rate and window allow, at most one step. A stream's next row waits for the one before it. */
async function give(run: Run, replay: Replay): Promise<Replay> {
  const now = run.deps.world.clock.now();
  const next: Replay = { ...replay, pending: [...replay.pending], nextAt: Math.max(replay.nextAt, now - BURST_MS) };
  const busy = new Set(await Promise.all(replay.pending.map(async (number) => (await run.rows.at(number)).streamId)));
  const numbers: number[] = [];
  while (next.next < next.rows && numbers.length < ROWS_PER_STEP && next.nextAt <= now + STEP_MS) {
    if (next.pending.length >= WINDOW_ROWS) break;
    const row = await run.rows.at(next.next);
    if (busy.has(row.streamId)) break;
    busy.add(row.streamId);
    numbers.push(next.next);
    next.pending.push(next.next);
    next.next += 1;
    next.nextAt += (Math.max(1, row.events) * 1_000) / replay.options.ratePerSecond;
  }
  await send(run, next, numbers);
  return next;
}

/** Rows with nothing left to do are done. Changes `replay`. */
async function send(run: Run, replay: Replay, numbers: readonly number[]): Promise<void> {
  const { world, wakeUps } = run.deps;
  if (numbers.length === 0) return;
  const deps = { ...run.deps, clock: world.clock };
  const rows = await Promise.all(numbers.map((number) => run.rows.at(number)));
  const answers = await prepareRows(deps, replay, rows);
  const prepared = answers.map((given, index) => ({
    given,
    number: numbers[index] as number,
    row: rows[index] as PlannedStream,
  }));
  const messages = prepared.flatMap(({ given }) => (given.kind === 'message' ? [{ message: given.message }] : []));
  if (messages.length > 0) await wakeUps.send(run.queueUrl, messages);
  for (const { number, row, given } of prepared) {
    if (given.kind === 'message') run.sent.set(number, { at: world.clock.now(), kind: given.message.kind });
    if (given.kind !== 'unchanged') continue;
    replay.pending = replay.pending.filter((one) => one !== number);
    replay.doneRows += 1;
    replay.doneEvents += row.events;
  }
}

function tooManyFailures({
  doneRows,
  failedRows,
  baseDone,
  baseFailed,
  options,
  rows,
  next,
}: Replay): string | undefined {
  const failed = failedRows - baseFailed;
  const all = failed + doneRows - baseDone;
  if (all < RATE_COUNTS_FROM || failed / all <= options.maxFailureRate || next === rows) return undefined;
  return `${failed} of ${all} streams failed, more than the limit of ${options.maxFailureRate}`;
}

async function stopped(deps: WorkDeps, replay: Replay, note: string): Promise<Replay> {
  deps.logger.error('replay stopped by itself', { replayId: replay.id, consumer: replay.consumer, note });
  deps.metrics.count('ReplaysStopped');
  const to = { status: 'stopped', note } as const;
  return (await deps.replays.transition(replay.id, ['running'], to, deps.world.clock.now())) ?? stored(deps, replay.id);
}

/** A backfill that reached every stream makes its types ordinary ones; done before the end, so that a crash repeats it. */
async function finished(deps: WorkDeps, lease: LeaseHandle, replay: Replay): Promise<Replay> {
  const { clock } = deps.world;
  const { backfillOf } = replay.options;
  if (backfillOf !== undefined && replay.unreachedRows === 0) {
    await deps.registry.completeBackfill(replay.consumer, backfillOf, clock.now());
  }
  await deps.replays.finish(replay, lease.token, clock.now());
  deps.logger.info('replay ended', { replayId: replay.id, done: replay.doneRows, failed: replay.failedRows });
  return stored(deps, replay.id);
}

function count({ metrics }: WorkDeps, consumer: string, replay: Replay, seen: Replay, given: Replay): void {
  if (given.next > seen.next) metrics.count('ReplayRowsGiven', given.next - seen.next, 'Count', { consumer });
  metrics.count('ReplayRowsFailed', replay.failedRows, 'Count', { consumer });
}
