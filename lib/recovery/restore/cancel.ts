// Ends a restore that has not written to any stream yet: a plan, or one that fetches its copies. One that writes ends by itself.

import type { Clock } from '../../platform/clock.ts';
import type { Audit } from '../audit/audit.ts';
import { rowOf } from './apply-restore.ts';
import type { RestoreRequest } from './request.ts';
import type { RestoreRow, RestoreRows } from './rows.ts';

export interface CancelDeps {
  rows: RestoreRows;
  audit: Pick<Audit, 'record'>;
  world: { clock: Clock };
}

/** A search saves its progress after each file: each lost race means that it did. */
const TRIES_MAX = 10;

/** @throws InvalidInputError `UNKNOWN_PLAN` */
export async function cancel(
  deps: CancelDeps,
  { planId, requestedBy, reason }: Extract<RestoreRequest, { action: 'cancel' }>,
  requestId: string,
): Promise<void> {
  const note = `cancelled by ${requestedBy}: ${reason}`;
  let cancelled: RestoreRow | undefined;
  for (let tries = 0; cancelled === undefined && tries < TRIES_MAX; tries += 1) {
    const row = await rowOf(deps, planId);
    if (row.status !== 'planned' && row.status !== 'fetching') break;
    // A side table that is there, or that somebody is asking for, is dropped first.
    const changes: Partial<RestoreRow> =
      row.sideTable === undefined ? { status: 'cancelled' } : { status: 'cleaning', endsAs: 'cancelled' };
    cancelled = await deps.rows.change(row, { ...changes, note }, deps.world.clock.now());
  }
  const outcome = { changed: cancelled !== undefined };
  await deps.audit.record({ action: 'restore-cancel', requestedBy, reason, requestId, input: { planId }, outcome });
}
