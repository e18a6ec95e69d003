// A changed subscription: the registry says that the history of added event types waits. The schedule plans and begins it by
// itself. One that could not reach every stream (some are parked) is tried again, until the registry says that it is complete.

import { isEventRecoveryError } from '../../model/errors.ts';
import { makePlan } from '../plan/make-plan.ts';
import { begin, type ReplayDeps } from './begin.ts';

const AGAIN_MS = 15 * 60_000;
const OPTIONS = { ratePerSecond: 100, maxFailureRate: 1 };

/** Begins those that wait; the schedule's invocation then works on them like on every replay. */
export async function beginBackfills(deps: ReplayDeps, requestId: string): Promise<void> {
  const now = deps.world.clock.now();
  for (const { name, status, backfill } of await deps.registry.list()) {
    if (status !== 'active' || backfill === undefined) continue;
    const { requestedAt, eventTypes } = backfill;
    if (!(await deps.replays.claimBackfill(name, requestedAt, now, AGAIN_MS))) continue;
    const asked = { requestedBy: 'registry', reason: `event types added: ${eventTypes.join(', ')}` };
    const plan = await makePlan(deps, { mode: 'backfill', consumer: name, selection: {}, options: OPTIONS, ...asked });
    if (plan.rows === 0) {
      await deps.registry.completeBackfill(name, requestedAt, now);
      continue;
    }
    try {
      await begin(deps, plan, { ...asked, requestId });
    } catch (error) {
      // Somebody's replay comes first.
      if (!isEventRecoveryError(error) || error.code !== 'REPLAY_RUNNING') throw error;
    }
  }
}
