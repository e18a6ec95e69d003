// The redrive operation: a dry run that says exactly what would happen, runs that begin with a canary, and stop, resume,
// status. Nothing here reacts to an event: the consumer's own function does, with its own permissions.

import { EventRecoveryError, InvalidInputError, isEventRecoveryError } from '../../model/errors.ts';
import { consumerName } from '../../model/ids.ts';
import type { World } from '../../platform/clock.ts';
import type { Audit } from '../audit/audit.ts';
import { checkDeployment } from '../plan/check-plan.ts';
import { type RedriveAnswer, runAnswer, unfinishedAnswer, wouldAnswer } from './answer.ts';
import { type PlanRedriveDeps, planRedrive, type RedrivePlan } from './plan-redrive.ts';
import {
  checkRedriveRequest,
  type ListRequest,
  type RedriveRequest,
  type SelectingRequest,
  type StartRequest,
} from './request.ts';
import type { RedriveRun, RunStatus } from './runs.ts';
import { countStreams, type Selected, selectDeadLetters, selectionFingerprint } from './select.ts';
import { type WorkDeps, type WorkTime, workOnRun } from './work-run.ts';

export interface RedriveDeps extends WorkDeps, Omit<PlanRedriveDeps, keyof WorkDeps> {
  /** `clock` = the server clock. */
  world: World;
  audit: Pick<Audit, 'record' | 'recordWrite'>;
}

/** The caller waits about so long, for the plan and the first work; the schedule goes on with what is left. */
export const FIRST_WORK_MS = 20_000;
/** Runs that one scheduled invocation works on side by side. */
const RUNS_AT_ONCE = 10;

/**
 * @throws InvalidInputError and EventRecoveryError with stable codes; nothing was written then
 * @example await redrive(deps, { action: 'redrive', selection: { consumer: 'inventory' } }, time); // a dry run
 */
export async function redrive(deps: RedriveDeps, raw: unknown, time: WorkTime): Promise<RedriveAnswer> {
  const request = checkRedriveRequest(raw);
  switch (request.action) {
    case 'redrive':
    case 'discard':
      return planned(deps, request, shortly(deps, time));
    case 'start':
      return start(deps, request, shortly(deps, time));
    case 'list':
      return list(deps, request);
    case 'status':
      return runAnswer(await runOf(deps, request.runId));
    case 'stop':
      await change(deps, request, time, ['canary', 'running'], 'stopped');
      return runAnswer(await runOf(deps, request.runId));
    case 'resume': {
      const run = await runOf(deps, request.runId);
      // A canary that was not seen to succeed is looked at again.
      await change(deps, request, time, ['stopped'], run.canaryId === undefined ? 'running' : 'canary');
      return runAnswer(await workOnRun(deps, run, shortly(deps, time)));
    }
    case 'continue':
      return continueAll(deps, time);
  }
}

async function list(deps: RedriveDeps, request: ListRequest): Promise<RedriveAnswer> {
  return wouldAnswer(request, await selectDeadLetters(deps, request.selection, { force: true }));
}

/** Everything begins with a plan: a dry run ends with it, and what is started at once starts what it planned. */
async function planned(deps: RedriveDeps, request: SelectingRequest, time: WorkTime): Promise<RedriveAnswer> {
  await checkConsumer(deps, request);
  const selected = await select(deps, request);
  if (selected.letters.length === 0) return wouldAnswer(request, selected);
  const plan = await planRedrive(deps, request, selected);
  return request.dryRun ? wouldAnswer(request, selected, plan) : begin(deps, plan, selected, request, time);
}

/** @throws InvalidInputError `UNKNOWN_PLAN` @throws EventRecoveryError `PLAN_OF_ANOTHER_DEPLOYMENT`, `PLAN_STALE` */
async function start(deps: RedriveDeps, request: StartRequest, time: WorkTime): Promise<RedriveAnswer> {
  const { planId, dryRun, replan, requestedBy, reason } = request;
  // The retry of a start whose answer was lost.
  const before = await deps.runs.get(planId);
  if (before !== undefined) return runAnswer(before);
  const plan = await deps.plans.get(planId);
  if (plan === undefined) throw unknownPlan(planId);
  checkDeployment(deps, plan);
  const asked: SelectingRequest = { ...plan.request, requestedBy, reason: reasonOf(plan.request, reason) };
  await checkConsumer(deps, asked);
  const selected = await select(deps, asked);
  if (plan.madeFrom.fingerprint === selectionFingerprint(selected.letters)) {
    return dryRun ? wouldAnswer(asked, selected, plan) : begin(deps, plan, selected, asked, time);
  }
  if (!replan) throw stale(plan, selected.letters.length);
  return planned(deps, { ...asked, dryRun }, time);
}

/** Of a discard, and of what is forced, the reason was checked when it was planned. */
const reasonOf = (planned: SelectingRequest, reason: string): string =>
  reason === 'not given' ? planned.reason : reason;

const select = (deps: RedriveDeps, request: SelectingRequest): Promise<Selected> =>
  selectDeadLetters(deps, request.selection, { force: request.action === 'discard' || request.force });

async function begin(
  deps: RedriveDeps,
  plan: RedrivePlan,
  selected: Selected,
  request: SelectingRequest,
  time: WorkTime,
): Promise<RedriveAnswer> {
  // What fails after the plan's dead letters is not this run's: it counts from the newest of them. Where the plan could not hold
  // all, those that it left out are its run's, too, as far as they had failed when it was made.
  const seenUntil = selected.truncated ? plan.createdAt : 0;
  const failedUntil = selected.letters.reduce((newest, { lastFailedAt }) => Math.max(newest, lastFailedAt), seenUntil);
  const now = deps.world.clock.now();
  const { id } = plan;
  const counts = { done: 0, changed: 0 };
  const run: RedriveRun = { id, request, status: 'running', ...counts, failedUntil, startedAt: now, updatedAt: now };
  const { action, requestedBy, reason } = request;
  const audit = deps.audit.recordWrite({
    action,
    requestedBy,
    reason,
    requestId: time.requestId,
    input: { ...request, planId: id },
    outcome: { runId: id, deadLetters: selected.letters.length, streams: countStreams(selected.letters) },
  });
  // Refused: another call has started the same plan; both go on with its run.
  await deps.runs.create(run, [audit]);
  return runAnswer(await workOnRun(deps, run, time), selected);
}

const unknownPlan = (planId: string): InvalidInputError =>
  new InvalidInputError('UNKNOWN_PLAN', {
    what: 'planId',
    got: planId,
    allowed: 'the id of a plan that a dry run of this function answered',
    remedy: 'plan first: { "action": "redrive", "selection": { ... } }',
  });

const stale = ({ id }: RedrivePlan, deadLetters: number): EventRecoveryError =>
  new EventRecoveryError(
    'PLAN_STALE',
    `plan ${id} is stale: the dead letters of its selection are not those that it saw, ${deadLetters} now; remedy: plan again and look at it, or start with "replan": true`,
    { facts: { planId: id, deadLetters } },
  );

/** The same time, cut to what a caller waits for. */
function shortly({ world }: RedriveDeps, time: WorkTime): WorkTime {
  const endsAt = world.clock.now() + FIRST_WORK_MS;
  return { ...time, remainingMs: () => Math.min(time.remainingMs(), endsAt - world.clock.now()) };
}

async function checkConsumer({ registry }: RedriveDeps, { selection: { consumer } }: SelectingRequest): Promise<void> {
  if (consumer === undefined) return;
  const found = await registry.get(consumerName(consumer));
  if (found === undefined) {
    throw new EventRecoveryError(
      'UNKNOWN_CONSUMER',
      `consumer "${consumer}" is not in the registry; remedy: take the name from a dead letter: npx event-recovery dead-letters`,
      { facts: { consumer } },
    );
  }
  if (found.status === 'active') return;
  throw new EventRecoveryError(
    'CONSUMER_NOT_DEPLOYED',
    `consumer "${consumer}" is ${found.status}; its dead letters stay; remedy: deploy it again`,
    { facts: { consumer } },
  );
}

async function runOf({ runs }: RedriveDeps, id: string): Promise<RedriveRun> {
  const run = await runs.get(id);
  if (run !== undefined) return run;
  throw new EventRecoveryError(
    'UNKNOWN_RUN',
    `redrive run "${id}" does not exist; remedy: take the id from the answer that began it`,
    { facts: { id } },
  );
}

/** Does nothing to a run that is in none of `from`: stopping a finished run leaves it finished. */
async function change(
  deps: RedriveDeps,
  request: Extract<RedriveRequest, { action: 'stop' | 'resume' }>,
  { requestId }: WorkTime,
  from: readonly RunStatus[],
  status: RunStatus,
): Promise<void> {
  const { action, runId, requestedBy, reason } = request;
  await runOf(deps, runId);
  const note = `${action} by ${requestedBy}: ${reason}`;
  const entry = { action: `redrive-${action}`, requestedBy, reason, requestId, input: { runId } };
  const audit = deps.audit.recordWrite({ ...entry, outcome: { changed: true } });
  const changed = await deps.runs.transition(runId, from, { status, note }, deps.world.clock.now(), [audit]);
  if (!changed) await deps.audit.record({ ...entry, outcome: { changed } });
}

/**
 * The run that waits longest comes first, so that none waits for ever behind others; a run that fails leaves its worker to the
 * next one. Runs that an earlier invocation still works on are passed over: they have moved last, and their lease is held.
 */
async function continueAll(deps: RedriveDeps, time: WorkTime): Promise<RedriveAnswer> {
  const waiting: RedriveRun[] = [];
  for await (const run of deps.runs.unfinished()) waiting.push(run);
  // One iterator for all workers: each takes the next run when it is done with one.
  const open = waiting.toSorted((a, b) => a.updatedAt - b.updatedAt)[Symbol.iterator]();
  const ends: RedriveRun[] = [];
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (const run of open) {
      try {
        ends.push(await workOnRun(deps, run, time));
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: RUNS_AT_ONCE }, worker));
  // One run's failure must not hold up the others; it is thrown when they are done.
  if (failures.length > 0) throw failures[0];
  return unfinishedAnswer(ends);
}

export interface FailedRedrive {
  error: { code: string; message: string; retryable: boolean; facts: Record<string, unknown> };
}

/** As a function answers: our own errors as data, so that their codes reach the caller. Outages are thrown. */
export async function answerRedrive(
  deps: RedriveDeps,
  raw: unknown,
  time: WorkTime,
): Promise<RedriveAnswer | FailedRedrive> {
  try {
    return await redrive(deps, raw, time);
  } catch (error) {
    const isScheduled = (raw as { action?: unknown } | null | undefined)?.action === 'continue';
    if (isScheduled || !isEventRecoveryError(error)) throw error;
    const { code, message, retryable, facts } = error;
    return { error: { code, message, retryable, facts: { ...facts } } };
  }
}
