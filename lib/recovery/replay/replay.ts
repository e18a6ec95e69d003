// The replay operation: plan, start, status, pause, resume, cancel. Nothing here reacts to an event: the consumer's own function
// does, with its own permissions.

import { EventRecoveryError, InvalidInputError, isEventRecoveryError } from '../../model/errors.ts';
import { checkPlan } from '../plan/check-plan.ts';
import { makePlan } from '../plan/make-plan.ts';
import type { Plan } from '../plan/port.ts';
import { planAnswer, type ReplayAnswer, replayAnswer, viewOf } from './answer.ts';
import { beginBackfills } from './backfills.ts';
import { begin, type ReplayDeps } from './begin.ts';
import type { Replay, ReplayStatus } from './port.ts';
import { type ChangeRequest, checkReplayRequest, type PlanningRequest, type StartRequest } from './request.ts';
import { type WorkTime, workOnReplay } from './work.ts';

/** The caller of "start" waits this long at most; the schedule goes on with what is left. */
export const FIRST_WORK_MS = 20_000;
/** Replays that one scheduled invocation works on side by side. */
const REPLAYS_AT_ONCE = 10;
const ROWS_SHOWN = 20;

/**
 * @throws InvalidInputError and EventRecoveryError with stable codes; nothing was written then
 * @example await replay(deps, { action: 'plan', mode: 'rewind', consumer: 'inventory', selection: { everything: true } }, time);
 */
export async function replay(deps: ReplayDeps, raw: unknown, time: WorkTime): Promise<ReplayAnswer> {
  const request = checkReplayRequest(raw);
  switch (request.action) {
    case 'plan':
      return planned(deps, 'planned', await plan(deps, request));
    case 'start':
      return start(deps, request, time);
    case 'status':
      return status(deps, request);
    case 'continue':
      return continueAll(deps, time);
    default:
      return change(deps, request, time);
  }
}

const plan = (deps: ReplayDeps, request: Omit<PlanningRequest, 'action'>): Promise<Plan> => {
  const { mode, consumer, selection, requestedBy, reason, ratePerSecond, maxFailureRate, suppressEffects } = request;
  const options = { ratePerSecond, maxFailureRate, ...(suppressEffects && { suppressEffects }) };
  return makePlan(deps, { mode, consumer, selection, options, requestedBy, reason });
};

async function planned(deps: ReplayDeps, result: 'planned' | 'would', made: Plan): Promise<ReplayAnswer> {
  const rows = (await deps.plans.chunk(made.id, 0)).slice(0, ROWS_SHOWN);
  const streams = rows.map(({ streamId, from, to, events, repeats }) => ({ streamId, from, to, events, repeats }));
  return planAnswer(result, made, streams);
}

async function start(deps: ReplayDeps, request: StartRequest, time: WorkTime): Promise<ReplayAnswer> {
  const before = request.planId === undefined ? undefined : await deps.replays.get(request.planId);
  // The retry of a start whose answer was lost.
  if (before !== undefined && !request.dryRun) return replayAnswer(before);
  const chosen = request.planId === undefined ? await plan(deps, given(request)) : await checked(deps, request);
  if (request.dryRun || chosen.rows === 0) return planned(deps, 'would', chosen);
  const { requestedBy, reason } = request;
  const { id } = await begin(deps, chosen, { requestedBy, reason, requestId: time.requestId });
  return replayAnswer(await workOnReplay(deps, id, shortly(deps, time)));
}

/** "start" has the fields of "plan" as optional ones: their defaults are those of "plan". */
function given({ planId: _id, replan: _replan, dryRun: _dryRun, ...fields }: StartRequest): PlanningRequest {
  return checkReplayRequest({ ...fields, action: 'plan' }) as PlanningRequest;
}

/** @throws EventRecoveryError `UNKNOWN_PLAN`, `PLAN_APPLIED`, and those of `checkPlan` */
async function checked(deps: ReplayDeps, { planId = '', replan, requestedBy, reason }: StartRequest): Promise<Plan> {
  const found = await deps.plans.get(planId);
  if (found === undefined) {
    throw new InvalidInputError('UNKNOWN_PLAN', {
      what: 'planId',
      got: planId,
      allowed: 'the id of a plan of this deployment',
      remedy: 'plan first: { "action": "plan", ... }',
    });
  }
  if (found.status === 'applied') {
    throw new EventRecoveryError('PLAN_APPLIED', `plan ${planId} was applied before; remedy: plan again`, {
      facts: { planId },
    });
  }
  try {
    await checkPlan(deps, found);
    return found;
  } catch (error) {
    if (!replan || !isEventRecoveryError(error) || error.code !== 'PLAN_STALE') throw error;
    const { mode, consumer, selection, options } = found;
    return makePlan(deps, { mode, consumer, selection, options, requestedBy, reason });
  }
}

/** The same time, cut to what a caller waits for. */
function shortly({ world }: ReplayDeps, time: WorkTime): WorkTime {
  const endsAt = world.clock.now() + FIRST_WORK_MS;
  return { ...time, remainingMs: () => Math.min(time.remainingMs(), endsAt - world.clock.now()) };
}

async function status(
  deps: ReplayDeps,
  { replayId, consumer }: { replayId?: string; consumer?: string },
): Promise<ReplayAnswer> {
  if (replayId !== undefined) return replayAnswer(await known(deps, replayId));
  const replays = [];
  for await (const open of deps.replays.open()) {
    if (consumer === undefined || open.consumer === consumer) replays.push(viewOf(open));
  }
  return { result: 'replays', replays };
}

/** @throws InvalidInputError `UNKNOWN_REPLAY` */
async function known({ replays }: ReplayDeps, id: string): Promise<Replay> {
  const found = await replays.get(id);
  if (found !== undefined) return found;
  throw new InvalidInputError('UNKNOWN_REPLAY', {
    what: 'replayId',
    got: id,
    allowed: 'the id of a replay of this deployment',
    remedy: 'list those that are not finished: { "action": "status" }',
  });
}

const CHANGES: Record<ChangeRequest['action'], { from: ReplayStatus[]; to: ReplayStatus }> = {
  pause: { from: ['running'], to: 'paused' },
  resume: { from: ['paused', 'stopped'], to: 'running' },
  cancel: { from: ['running', 'paused', 'stopped'], to: 'cancelled' },
};

/** Does nothing to a replay that is not in the way of it: cancelling a finished one leaves it finished. */
async function change(deps: ReplayDeps, request: ChangeRequest, time: WorkTime): Promise<ReplayAnswer> {
  const { action, replayId, requestedBy, reason } = request;
  await known(deps, replayId);
  const { from, to } = CHANGES[action];
  const note = `${action} by ${requestedBy}: ${reason}`;
  const now = deps.world.clock.now();
  const changed = await deps.replays.transition(replayId, from, { status: to, note }, now);
  await deps.audit.record({
    action: `replay-${action}`,
    requestedBy,
    reason,
    requestId: time.requestId,
    input: { replayId },
    outcome: { changed: changed !== undefined },
  });
  const isResumed = action === 'resume' && changed !== undefined;
  return replayAnswer(
    isResumed ? await workOnReplay(deps, replayId, shortly(deps, time)) : await known(deps, replayId),
  );
}

async function continueAll(deps: ReplayDeps, time: WorkTime): Promise<ReplayAnswer> {
  const failures: unknown[] = [];
  await beginBackfills(deps, time.requestId).catch((error: unknown) => failures.push(error));
  const running: Replay[] = [];
  for await (const one of deps.replays.open()) if (one.status === 'running') running.push(one);
  // Those that wait longest come first, so that none waits for ever behind ten others.
  const chosen = running.toSorted((a, b) => a.updatedAt - b.updatedAt).slice(0, REPLAYS_AT_ONCE);
  // One replay's failure must not hold up the others; it is thrown when they are done.
  const ends = await Promise.allSettled(chosen.map(({ id }) => workOnReplay(deps, id, time)));
  for (const end of ends) if (end.status === 'rejected') failures.push(end.reason);
  if (failures.length > 0) throw failures[0];
  const views = ends.flatMap((end) => (end.status === 'fulfilled' ? [viewOf(end.value)] : []));
  return { result: 'replays', replays: views };
}

export interface FailedReplay {
  error: { code: string; message: string; retryable: boolean; facts: Record<string, unknown> };
}

/** As a function answers: our own errors as data, so that their codes reach the caller. Outages are thrown. */
export async function answerReplay(
  deps: ReplayDeps,
  raw: unknown,
  time: WorkTime,
): Promise<ReplayAnswer | FailedReplay> {
  try {
    return await replay(deps, raw, time);
  } catch (error) {
    const isScheduled = (raw as { action?: unknown } | null | undefined)?.action === 'continue';
    if (isScheduled || !isEventRecoveryError(error)) throw error;
    const { code, message, retryable, facts } = error;
    return { error: { code, message, retryable, facts: { ...facts } } };
  }
}
