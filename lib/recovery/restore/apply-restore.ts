// Applies a plan: fetches copies, writes, drops the side table. Each step is written down before the next begins, one worker
// at a time holds the lease, and whoever comes after a death goes on from the same row.

import { EventRecoveryError, InvalidInputError, isEventRecoveryError } from '../../model/errors.ts';
import type { StreamId } from '../../model/ids.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import type { Audit } from '../audit/audit.ts';
import type { Leases } from '../lease/leases.ts';
import { type Copies, foundCopies, noCopies, sideTableCopies } from './copies.ts';
import { lookAt } from './look.ts';
import { type PointInTime, sideTableName } from './point-in-time.ts';
import type { ApplyRequest } from './request.ts';
import { isFinished, openForks, type RestoreRow, type RestoreRows, type StreamRow } from './rows.ts';
import { type SearchDeps, searchArchive } from './search-archive.ts';
import type { Survey } from './slots.ts';
import { type WorkDeps, workOnStream } from './work-stream.ts';

export interface ApplyDeps extends Omit<WorkDeps, 'rows' | 'audit'>, SearchDeps {
  rows: RestoreRows;
  audit: Pick<Audit, 'record' | 'recordWrite'>;
  leases: Leases;
  pointInTime: PointInTime;
  dynamo: Dynamo;
}

export interface WorkTime {
  remainingMs(): number;
  requestId: string;
}

/** Kept for the last writes of an invocation. */
const RESERVE_MS = 5_000;
const SIDE_TABLE_POLL_MS = 2_000;

/** Allows a planned restore to begin. @throws EventRecoveryError `UNKNOWN_PLAN`, `APPROVAL_REQUIRED`, `PLAN_CANCELLED` */
export async function approve(deps: ApplyDeps, request: ApplyRequest, requestId: string): Promise<RestoreRow> {
  const row = await rowOf(deps, request.planId);
  if (row.status === 'cancelled') {
    throw new EventRecoveryError('PLAN_CANCELLED', `restore plan "${row.id}" was cancelled; remedy: plan again`, {
      facts: { planId: row.id },
    });
  }
  const streams = await streamsOf(deps, row.id);
  if (row.status === 'failed' || row.status === 'done') return takeUpAgain(deps, row, streams);
  if (row.status !== 'planned') return row;
  const changes = streams.reduce((sum, stream) => sum + stream.changes.length, 0);
  if (changes > 0 && request.approvedBy === undefined) throw approvalRequired(row.id, changes);
  const { approvedBy, requestedBy, reason } = request;
  const given = { ...(approvedBy !== undefined && { approvedBy }), requestedBy, reason };
  const started = await deps.rows.change(row, { status: 'fetching', ...given }, deps.world.clock.now());
  await deps.audit.record({
    action: 'restore-apply',
    requestedBy,
    reason,
    requestId,
    input: { planId: row.id, approvedBy: approvedBy ?? '' },
    outcome: { streams: streams.length, changes },
  });
  // Somebody else was faster: theirs is the row to go on with.
  return started ?? rowOf(deps, row.id);
}

/** What could not be finished can be, once its cause is removed; it was approved already. */
async function takeUpAgain(deps: ApplyDeps, row: RestoreRow, streams: readonly StreamRow[]): Promise<RestoreRow> {
  const unfinished = streams.filter(
    (stream) => stream.status === 'planned' || stream.status === 'failed' || openForks(stream).length > 0,
  );
  if (unfinished.length === 0) return row;
  for (const { note: _, ...stream } of unfinished) {
    if (stream.status !== 'planned') await deps.rows.saveStream(row.id, { ...stream, status: 'planned' });
  }
  const { note: _, sideTable: __, ...rest } = row;
  const again = await deps.rows.change(rest, { status: 'fetching' }, deps.world.clock.now());
  return again ?? rowOf(deps, row.id);
}

/** Goes on until the restore is finished, has to wait, or the time is over. Answers the row as it is then. */
export async function workOnRestore(deps: ApplyDeps, id: string, time: WorkTime): Promise<RestoreRow> {
  const { clock, ids } = deps.world;
  // One restore at a time: two could want the same stream.
  const lease = await deps.leases.acquire('restore', ids.next(), clock.now(), Math.max(0, time.remainingMs()));
  if (lease.kind === 'held') return rowOf(deps, id);
  try {
    let row = await rowOf(deps, id);
    while (!isFinished(row) && row.status !== 'planned' && time.remainingMs() > RESERVE_MS) {
      const next = await step(deps, row, time);
      if (next === undefined) return rowOf(deps, id);
      row = next;
    }
    return row;
  } finally {
    await deps.leases.release(lease);
  }
}

/** Undefined: nothing more can be done now. */
async function step(deps: ApplyDeps, row: RestoreRow, time: WorkTime): Promise<RestoreRow | undefined> {
  const become = (changes: Partial<RestoreRow>) => deps.rows.change(row, changes, deps.world.clock.now());
  try {
    switch (row.status) {
      case 'fetching':
        return await fetchCopies(deps, row, time, become);
      case 'writing':
        return await writeStreams(deps, row, time, become);
      case 'cleaning':
        return await dropSideTable(deps, row, become);
      default:
        return undefined;
    }
  } catch (error) {
    if (!isEventRecoveryError(error) || error.retryable) throw error;
    const note = `${error.code}: ${error.message}`;
    deps.logger.error('a restore cannot go on', { restoreId: row.id, note });
    // The side table is dropped all the same; then it is a failure.
    if (row.status !== 'cleaning' && row.sideTable !== undefined) return become({ status: 'cleaning', note });
    return become({ status: 'failed', note });
  }
}

type Become = (changes: Partial<RestoreRow>) => Promise<RestoreRow | undefined>;

async function fetchCopies(deps: ApplyDeps, row: RestoreRow, time: WorkTime, become: Become) {
  const surveys = await surveysOf(deps, row);
  if (surveys.every(({ slots }) => slots.every(({ kind }) => kind === 'foreign'))) return become({ status: 'writing' });
  if (row.source === 'archive') {
    const searched = await searchArchive(deps, row, surveys, time.remainingMs, async (progress) => {
      await become(progress);
    });
    const { readExports, found: copies, isOver, isEmpty } = searched;
    const note = isEmpty ? { note: 'ARCHIVE_EMPTY: the archive holds no completed export yet' } : {};
    return isOver ? become({ status: 'writing', readExports, copies, ...note }) : undefined;
  }
  // Written down before it exists: whatever dies, the row knows which table is to be dropped.
  if (row.sideTable === undefined) return become({ sideTable: sideTableName(deps.eventsTable, row.id) });
  const state = await deps.pointInTime.state(row.sideTable);
  if (state === 'ready') return become({ status: 'writing' });
  if (state === 'absent') await deps.pointInTime.restore(row.sideTable, row.restoreTo ?? 0);
  // A restore takes minutes to hours: a short wait for small tables, then the schedule goes on.
  await deps.world.timers.sleep(SIDE_TABLE_POLL_MS);
  return row;
}

async function writeStreams(deps: ApplyDeps, row: RestoreRow, time: WorkTime, become: Become) {
  const copies = await copiesOf(deps, row);
  for await (const stream of deps.rows.streams(row.id)) {
    if (stream.status !== 'planned') continue;
    if (time.remainingMs() < RESERVE_MS) return undefined;
    await workOnStream(deps, row, stream, copies, time.requestId);
  }
  return become({ status: row.sideTable === undefined ? 'done' : 'cleaning' });
}

const copiesOf = async (deps: ApplyDeps, row: RestoreRow): Promise<Copies> => {
  if (row.source === 'archive') return foundCopies(deps.objects, row.id, row.copies);
  return row.sideTable === undefined ? noCopies : sideTableCopies(deps.dynamo, row.sideTable);
};

async function dropSideTable(deps: ApplyDeps, row: RestoreRow, become: Become) {
  const state = row.sideTable === undefined ? 'absent' : await deps.pointInTime.state(row.sideTable);
  if (state === 'absent') return become({ status: row.note === undefined ? 'done' : 'failed' });
  if (state === 'ready') await deps.pointInTime.drop(row.sideTable as string);
  else await deps.world.timers.sleep(SIDE_TABLE_POLL_MS);
  return row;
}

/** Copies are looked for of garbage too: only what has none may be discarded. */
async function surveysOf(deps: ApplyDeps, row: RestoreRow): Promise<Survey[]> {
  const surveys: Survey[] = [];
  for await (const { streamId, status } of deps.rows.streams(row.id)) {
    const survey = status === 'planned' ? await lookAt(deps, streamId as StreamId) : undefined;
    if (survey !== undefined) surveys.push(survey);
  }
  return surveys;
}

/** At most as many as one plan takes. */
export async function streamsOf({ rows }: Pick<ApplyDeps, 'rows'>, id: string): Promise<StreamRow[]> {
  const streams: StreamRow[] = [];
  for await (const stream of rows.streams(id)) streams.push(stream);
  return streams;
}

/** @throws InvalidInputError `UNKNOWN_PLAN` */
export async function rowOf({ rows }: Pick<ApplyDeps, 'rows'>, id: string): Promise<RestoreRow> {
  const row = await rows.get(id);
  if (row !== undefined) return row;
  throw new InvalidInputError('UNKNOWN_PLAN', {
    what: 'planId',
    got: id,
    allowed: 'the id of a restore plan',
    remedy: 'take it from the answer of { "action": "plan" }',
  });
}

const approvalRequired = (planId: string, changes: number): EventRecoveryError =>
  new EventRecoveryError(
    'APPROVAL_REQUIRED',
    `restore plan "${planId}" overwrites or removes ${changes} stored items; remedy: look at the plan, then apply it with "approvedBy": who agreed`,
    { facts: { planId, changes } },
  );
