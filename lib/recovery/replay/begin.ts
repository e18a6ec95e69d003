// Begins to apply a plan: the replay, the consumer's place, the plan's status and the audit in one transaction.

import type { Registry } from '../../flow/registry/port.ts';
import { EventRecoveryError } from '../../model/errors.ts';
import type { Audit } from '../audit/audit.ts';
import type { PlanDeps } from '../plan/make-plan.ts';
import type { Plan } from '../plan/port.ts';
import type { Replay } from './port.ts';
import { REPLAY_FORMAT } from './replays.ts';
import type { WorkDeps } from './work.ts';

/** Everything that the operation needs. */
export interface ReplayDeps
  extends PlanDeps,
    Omit<WorkDeps, 'checkpoints' | 'openGaps' | 'plans' | 'registry' | 'world'> {
  checkpoints: PlanDeps['checkpoints'] & WorkDeps['checkpoints'];
  openGaps: PlanDeps['openGaps'] & WorkDeps['openGaps'];
  registry: Pick<Registry, 'get' | 'list' | 'completeBackfill'>;
  audit: Pick<Audit, 'record' | 'recordWrite'>;
}

export interface Asked {
  requestedBy: string;
  reason: string;
  requestId: string;
}

/** @throws EventRecoveryError `REPLAY_RUNNING` */
export async function begin(deps: ReplayDeps, plan: Plan, { requestId, ...asked }: Asked): Promise<Replay> {
  const replay = newReplay(plan, asked, deps.world.clock.now());
  const audit = deps.audit.recordWrite({
    ...asked,
    action: `replay-${plan.mode}`,
    requestId,
    input: { planId: plan.id, consumer: plan.consumer, selection: plan.selection, options: plan.options },
    outcome: { replayId: replay.id, ...plan.totals },
  });
  const created = await deps.replays.create(replay, [audit]);
  if (created.kind !== 'busy') return replay;
  throw new EventRecoveryError(
    'REPLAY_RUNNING',
    `consumer "${plan.consumer}" is being replayed by ${created.replayId}; remedy: wait for it, or cancel it: npx event-recovery replay cancel ${created.replayId}`,
    { facts: { consumer: plan.consumer, replayId: created.replayId } },
  );
}

/** A backfill keeps its id however often it is tried, so that no event of it is delivered twice. */
export const scopeOf = ({ id, mode, consumer, options }: Plan): string =>
  mode === 'backfill' ? `backfill-${consumer}-${options.backfillOf}` : id;

function newReplay(plan: Plan, asked: Pick<Asked, 'requestedBy' | 'reason'>, now: number): Replay {
  const { requestedBy, reason } = asked;
  return {
    id: plan.id,
    consumer: plan.consumer,
    mode: plan.mode,
    scope: scopeOf(plan),
    options: plan.options,
    status: 'running',
    rows: plan.rows,
    events: plan.totals.events,
    next: 0,
    pending: [],
    doneRows: 0,
    doneEvents: 0,
    failedRows: 0,
    unreachedRows: 0,
    failures: [],
    baseDone: 0,
    baseFailed: 0,
    nextAt: now,
    progressAt: now,
    quietMs: 0,
    activeMs: 0,
    requestedBy,
    reason,
    startedAt: now,
    updatedAt: now,
    format: REPLAY_FORMAT,
  };
}
