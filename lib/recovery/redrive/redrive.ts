// The redrive operation: a dry run that says exactly what would happen, runs that begin with a canary, and stop, resume,
// status. Nothing here reacts to an event: the consumer's own function does, with its own permissions.

import { EventRecoveryError, isEventRecoveryError } from '../../model/errors.ts';
import { consumerName } from '../../model/ids.ts';
import type { Audit } from '../audit/audit.ts';
import { type RedriveAnswer, runAnswer, unfinishedAnswer, wouldAnswer } from './answer.ts';
import { checkRedriveRequest, type RedriveRequest, type SelectingRequest } from './request.ts';
import type { RedriveRun, RunStatus } from './runs.ts';
import { countStreams, type Selected, selectDeadLetters, selectionFingerprint } from './select.ts';
import { type WorkDeps, type WorkTime, workOnRun } from './work-run.ts';

export interface RedriveDeps extends WorkDeps {
  audit: Pick<Audit, 'record' | 'recordWrite'>;
}

/** The caller waits this long at most; the schedule goes on with what is left. */
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
      return begin(deps, request, time);
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

async function begin(deps: RedriveDeps, request: SelectingRequest, time: WorkTime): Promise<RedriveAnswer> {
  await checkConsumer(deps, request);
  const force = request.action === 'discard' || request.force;
  const selected = await selectDeadLetters(deps, request.selection, { force });
  if (!request.dryRun) checkAsSeen(request, selected.letters);
  if (request.dryRun || selected.letters.length === 0) return wouldAnswer(request, selected);
  const now = deps.world.clock.now();
  const id = deps.world.ids.next();
  const run: RedriveRun = { id, request, status: 'running', done: 0, changed: 0, startedAt: now, updatedAt: now };
  await deps.runs.create(run);
  await deps.audit.record({
    action: request.action,
    requestedBy: request.requestedBy,
    reason: request.reason,
    requestId: time.requestId,
    input: { ...request },
    outcome: { runId: id, deadLetters: selected.letters.length, streams: countStreams(selected.letters) },
  });
  return runAnswer(await workOnRun(deps, run, shortly(deps, time)), selected);
}

/** @throws EventRecoveryError `PLAN_STALE` */
function checkAsSeen({ seen }: SelectingRequest, letters: Selected['letters']): void {
  if (seen === undefined || seen === selectionFingerprint(letters)) return;
  throw new EventRecoveryError(
    'PLAN_STALE',
    `the dead letters of this selection are not those of the dry run any more: ${letters.length} now; remedy: look again: the same request with "dryRun": true`,
    { facts: { deadLetters: letters.length } },
  );
}

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
  const changed = await deps.runs.transition(runId, from, { status, note }, deps.world.clock.now());
  const outcome = { changed };
  await deps.audit.record({
    action: `redrive-${action}`,
    requestedBy,
    reason,
    requestId,
    input: { runId },
    outcome,
  });
}

async function continueAll(deps: RedriveDeps, time: WorkTime): Promise<RedriveAnswer> {
  const open: RedriveRun[] = [];
  for await (const run of deps.runs.unfinished()) {
    open.push(run);
    if (open.length === RUNS_AT_ONCE) break;
  }
  // One run's failure must not hold up the others; it is thrown when they are done.
  const ends = await Promise.allSettled(open.map((run) => workOnRun(deps, run, time)));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return unfinishedAnswer(ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : [])));
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
