// Applies a plan: fetches copies, writes, drops the side table. Each step is written down before the next begins, one worker
// at a time holds the lease, and whoever comes after a death goes on from the same row.

import { InvalidInputError, isEventRecoveryError } from '../../model/errors.ts';
import type { World } from '../../platform/clock.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import { errorFacts } from '../../platform/logging.ts';
import type { Audit } from '../audit/audit.ts';
import type { Leases } from '../lease/leases.ts';
import { type Copies, foundCopies, noCopies, sideTableCopies } from './copies.ts';
import { type Become, type FetchDeps, fetchCopies } from './fetch-copies.ts';
import { SIDE_TABLE_POLL_MS } from './point-in-time.ts';
import { isFinished, type RestoreRow, type RestoreRows, type StreamRow } from './rows.ts';
import { type WorkDeps, workOnStream } from './work-stream.ts';

export interface ApplyDeps extends Omit<WorkDeps, 'rows' | 'audit'>, Omit<FetchDeps, 'rows'> {
  rows: RestoreRows;
  audit: Pick<Audit, 'record' | 'recordWrite'>;
  leases: Leases;
  dynamo: Dynamo;
  world: Pick<World, 'clock' | 'timers' | 'random' | 'ids'>;
}

export interface WorkTime {
  remainingMs(): number;
  requestId: string;
}

/** Kept for the last writes of an invocation. */
const RESERVE_MS = 5_000;
/** Looks at a side table in one invocation: a restore takes minutes to hours, and others wait for their turn. */
const WAITS_MAX = 5;
/** Tries in a row that may fail: half an hour of the schedule. Outages pass, what does not is told to a human. */
const FAILURES_MAX = 30;
const NOTE_MAX = 2_000;

/** Goes on until the restore is finished, has to wait, or the time is over. Answers the row as it is then. */
export async function workOnRestore(deps: ApplyDeps, id: string, time: WorkTime): Promise<RestoreRow> {
  const { clock, ids } = deps.world;
  // One restore at a time: two could want the same stream.
  const lease = await deps.leases.acquire('restore', ids.next(), clock.now(), Math.max(0, time.remainingMs()));
  if (lease.kind === 'held') return rowOf(deps, id);
  try {
    let row = await rowOf(deps, id);
    let waits = 0;
    while (isUnderWay(row) && waits < WAITS_MAX && time.remainingMs() > RESERVE_MS) {
      const next = await step(deps, row, time);
      if (next === undefined) return rowOf(deps, id);
      if (next === row) waits += 1;
      row = next;
    }
    return row;
  } finally {
    await deps.leases.release(lease);
  }
}

const isUnderWay = (row: RestoreRow): boolean => !isFinished(row) && row.status !== 'planned';

/** Undefined: nothing more can be done now. The same row: it has to wait. */
async function step(deps: ApplyDeps, row: RestoreRow, time: WorkTime): Promise<RestoreRow | undefined> {
  const become: Become = ({ failures: _, ...before }, changes) =>
    deps.rows.change(before, changes, deps.world.clock.now());
  try {
    switch (row.status) {
      case 'fetching':
        return await fetchCopies(deps, row, () => time.remainingMs(), become);
      case 'writing':
        return await writeStreams(deps, row, time, become);
      case 'cleaning':
        return await dropSideTable(deps, row, become);
      default:
        return undefined;
    }
  } catch (error) {
    const isFinal = isEventRecoveryError(error) && !error.retryable;
    if (isFinal) return fail(deps, row.id, `${error.code}: ${error.message}`);
    return countFailure(deps, row.id, error);
  }
}

/** What may pass is tried again by the schedule, and thrown, so that somebody is told; at last it is a failure. */
async function countFailure(deps: ApplyDeps, id: string, error: unknown): Promise<RestoreRow | undefined> {
  const { name, message } = errorFacts(error) as { name: string; message: string };
  try {
    const row = await rowOf(deps, id);
    const failures = (row.failures ?? 0) + 1;
    if (failures >= FAILURES_MAX) {
      const remedy = 'remedy: remove the cause, then apply the plan again';
      return await fail(
        deps,
        id,
        `RESTORE_GAVE_UP: ${failures} tries failed, the last with ${name}: ${message}; ${remedy}`,
      );
    }
    await deps.rows.change(row, { failures }, deps.world.clock.now());
  } catch (uncounted) {
    deps.logger.error('a failed try of a restore could not be counted', { restoreId: id, error: uncounted });
  }
  throw error;
}

/** The side table is dropped all the same. */
async function fail(deps: ApplyDeps, id: string, what: string): Promise<RestoreRow | undefined> {
  const row = await rowOf(deps, id);
  if (isFinished(row)) return row;
  const note = (row.note === undefined ? what : `${what}; before: ${row.note}`).slice(0, NOTE_MAX);
  deps.logger.error('a restore cannot go on', { restoreId: id, note });
  const isToBeDropped = row.status !== 'cleaning' && row.sideTable !== undefined;
  const changes = isToBeDropped
    ? { status: 'cleaning' as const, endsAs: 'failed' as const, failures: 0, note }
    : { status: 'failed' as const, failures: 0, note };
  return deps.rows.change(row, changes, deps.world.clock.now());
}

async function writeStreams(deps: ApplyDeps, row: RestoreRow, time: WorkTime, become: Become) {
  const copies = await copiesOf(deps, row);
  for await (const stream of deps.rows.streams(row.id)) {
    if (stream.status !== 'planned') continue;
    if (time.remainingMs() < RESERVE_MS) return undefined;
    await workOnStream(deps, row, stream, copies, time.requestId);
  }
  return become(row, { status: row.sideTable === undefined ? 'done' : 'cleaning' });
}

const copiesOf = async (deps: ApplyDeps, row: RestoreRow): Promise<Copies> => {
  if (row.source === 'archive') return foundCopies(deps.objects, row.id, row.copies);
  return row.sideTable === undefined ? noCopies : sideTableCopies(deps.dynamo, row.sideTable);
};

async function dropSideTable(deps: ApplyDeps, row: RestoreRow, become: Become) {
  const state = row.sideTable === undefined ? 'absent' : await deps.pointInTime.state(row.sideTable);
  if (state === 'absent') return become(row, { status: row.endsAs ?? 'done' });
  if (state === 'ready') await deps.pointInTime.drop(row.sideTable as string);
  else await deps.world.timers.sleep(SIDE_TABLE_POLL_MS);
  return row;
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
