// Works on one run until it is finished, stopped, or the invocation's time is over; the schedule goes on with what is left. It
// keeps no cursor: what was given back is no longer open, or carries the run's id, so that a crash anywhere repeats nothing.

import type { DeadLetters } from '../../flow/dead-letter/port.ts';
import type { DeadLetter } from '../../model/dead-letter.ts';
import { isEventRecoveryError } from '../../model/errors.ts';
import type { World } from '../../platform/clock.ts';
import { type GiveBackDeps, type GiveBackOrder, giveBack } from './give-back.ts';
import { isUnfinished, type RedriveRun, type RedriveRuns, type RunStatus } from './runs.ts';
import { selectDeadLetters } from './select.ts';

export interface WorkDeps extends Omit<GiveBackDeps, 'deadLetters'> {
  deadLetters: Pick<DeadLetters, 'get' | 'list' | 'statusWrite'>;
  runs: RedriveRuns;
  world: Pick<World, 'clock' | 'timers'>;
}

export interface WorkTime {
  remainingMs(): number;
  requestId: string;
}

/** A canary that says nothing for so long failed: three tries with their pauses and a visibility timeout fit in. */
export const CANARY_PATIENCE_MS = 15 * 60_000;
const CANARY_POLL_MS = 1_000;
/** Time kept for the last writes of an invocation. */
const RESERVE_MS = 3_000;
/** Dead letters between two looks at the run's own row: how late a stop may be seen. */
const LOOK_EVERY = 10;

export async function workOnRun(deps: WorkDeps, run: RedriveRun, time: WorkTime): Promise<RedriveRun> {
  let now = run;
  while (isUnfinished(now) && time.remainingMs() > RESERVE_MS) {
    const next = now.status === 'canary' ? await awaitCanary(deps, now) : await giveBackSome(deps, now, time);
    if (next === 'wait') await deps.world.timers.sleep(CANARY_POLL_MS);
    else now = next;
  }
  return now;
}

async function awaitCanary(deps: WorkDeps, run: RedriveRun): Promise<RedriveRun | 'wait'> {
  const canary = await deps.deadLetters.get(run.canaryId as string);
  if (canary !== undefined && canary.status !== 'parked' && canary.status !== 'redriving') {
    return save(deps, run, { status: 'running' });
  }
  if (canary?.status === 'parked')
    return save(deps, run, {
      status: 'failed',
      note: `the canary ${canary.id} failed again: ${canary.error.name}: ${canary.error.message}`,
    });
  const waitedMs = deps.world.clock.now() - run.updatedAt;
  if (waitedMs < CANARY_PATIENCE_MS) return 'wait';
  return save(deps, run, {
    status: 'failed',
    note: `the canary ${run.canaryId} gave no answer in ${CANARY_PATIENCE_MS / 60_000} minutes`,
  });
}

async function giveBackSome(deps: WorkDeps, run: RedriveRun, time: WorkTime): Promise<RedriveRun> {
  const { request } = run;
  const force = request.action === 'discard' || request.force;
  const { letters } = await selectDeadLetters(deps.deadLetters, request.selection, {
    force,
    // Parked again after this run gave it back, or newer than the run: not this run's any more.
    except: (letter) => letter.lastRunId === run.id || letter.lastFailedAt > run.startedAt,
  });
  if (letters.length === 0) return save(deps, run, { status: 'done' });
  const isCanary = request.action === 'redrive' && request.canary && run.done === 0 && run.canaryId === undefined;
  // A skipped event delivers nothing that a canary could prove before the rest waits for it: a parked stream comes first.
  const first = letters.find(({ status }) => status === 'parked') ?? (letters[0] as DeadLetter);
  const batch = isCanary ? [first] : letters.slice(0, LOOK_EVERY);

  let { done, changed } = run;
  const order: GiveBackOrder = {
    runId: run.id,
    decision: request.action === 'discard' ? 'discard' : 'retry',
    requestedBy: request.requestedBy,
    reason: request.reason,
    requestId: time.requestId,
  };
  for (const letter of batch) {
    if (time.remainingMs() < RESERVE_MS) break;
    try {
      if ((await giveBack(deps, letter, order)) === 'changed') changed++;
      else done++;
    } catch (error) {
      if (!isEventRecoveryError(error) || error.retryable) throw error;
      return save(deps, run, { status: 'failed', done, changed, note: error.message });
    }
    await deps.world.timers.sleep(1_000 / request.ratePerSecond);
  }
  if (isCanary) return save(deps, run, { status: 'canary', done, changed, canaryId: first.id });
  // A whole batch that others were faster with is no progress: the next look would find the same.
  if (changed - run.changed === batch.length)
    return save(deps, run, { status: 'done', done, changed, note: 'the rest was changed by somebody else' });
  return save(deps, run, { done, changed });
}

const UNFINISHED: readonly RunStatus[] = ['canary', 'running'];

/** Writes the progress; when somebody stopped the run meanwhile, theirs stands and is answered. */
async function save(deps: WorkDeps, run: RedriveRun, change: Partial<RedriveRun>): Promise<RedriveRun> {
  const next = { ...run, ...change, updatedAt: deps.world.clock.now() };
  if (await deps.runs.update(next, UNFINISHED)) return next;
  return (await deps.runs.get(run.id)) ?? { ...next, status: 'stopped' };
}
