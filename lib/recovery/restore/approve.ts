// Lets a restore begin that was planned, or go on that could not: what is overwritten or removed needs somebody who agreed to it.

import { EventRecoveryError } from '../../model/errors.ts';
import { type ApplyDeps, rowOf, streamsOf } from './apply-restore.ts';
import type { ApplyRequest } from './request.ts';
import { openForks, type RestoreRow, type StreamRow } from './rows.ts';

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
  const changes = streams.reduce((sum, { changes, directory }) => sum + changes.length + (directory ? 1 : 0), 0);
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
  // The archive may have what it did not have then.
  const { note: _, sideTable: __, endsAs: ___, failures: ____, search: _____, ...rest } = row;
  const again = await deps.rows.change(rest, { status: 'fetching' }, deps.world.clock.now());
  return again ?? rowOf(deps, row.id);
}

const approvalRequired = (planId: string, changes: number): EventRecoveryError =>
  new EventRecoveryError(
    'APPROVAL_REQUIRED',
    `restore plan "${planId}" overwrites or removes ${changes} stored items; remedy: look at the plan, then apply it with "approvedBy": who agreed`,
    { facts: { planId, changes } },
  );
