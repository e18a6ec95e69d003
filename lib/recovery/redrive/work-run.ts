// Works on one run until it is finished, stopped, or the time is over; the schedule goes on with what is left. One worker per
// run (a lease), which keeps no cursor: what was given back is no longer open or carries the run's id, so that a crash
// anywhere repeats nothing. The canary is written down before it is given back.

import type { DeadLetters } from '../../flow/dead-letter/port.ts';
import type { DeadLetter } from '../../model/dead-letter.ts';
import { isEventRecoveryError } from '../../model/errors.ts';
import type { World } from '../../platform/clock.ts';
import type { Leases } from '../lease/leases.ts';
import { type GiveBackDeps, type GiveBackOrder, type GivenBack, giveBack } from './give-back.ts';
import { isUnfinished, type RedriveRun, type RedriveRuns, type Transition, UNFINISHED } from './runs.ts';
import { isOpen, type SelectDeps, selectDeadLetters } from './select.ts';

export interface WorkDeps
  extends Omit<GiveBackDeps, 'deadLetters' | 'clock'>,
    Pick<SelectDeps, 'registry' | 'selectedMax'> {
  deadLetters: Pick<DeadLetters, 'get' | 'list' | 'statusWrite'>;
  runs: RedriveRuns;
  leases: Leases;
  /** `clock` = the server clock: failures are compared with it. */
  world: Pick<World, 'clock' | 'timers' | 'ids'>;
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
export const LOOK_EVERY = 10;

/** Answers the run as it is afterwards; unchanged when somebody else is at work on it. */
export async function workOnRun(deps: WorkDeps, { id }: RedriveRun, time: WorkTime): Promise<RedriveRun> {
  const { clock, ids } = deps.world;
  const lease = await deps.leases.acquire(`redrive#${id}`, ids.next(), clock.now(), Math.max(0, time.remainingMs()));
  if (lease.kind === 'held') return stored(deps, id);
  try {
    return await createWorker(deps, time, id)();
  } finally {
    await deps.leases.release(lease);
  }
}

async function stored({ runs }: WorkDeps, id: string): Promise<RedriveRun> {
  const run = await runs.get(id);
  if (run === undefined) throw new Error(`redrive run ${id} has no row`);
  return run;
}

function createWorker(deps: WorkDeps, time: WorkTime, id: string): () => Promise<RedriveRun> {
  const { clock, timers } = deps.world;
  /** Dealt with in this invocation: an index may still show them as they were. */
  const seen = new Set<string>();
  let queue: DeadLetter[] = [];
  /** The next pause does not fit into this invocation: without it the rate would not be kept. */
  let isOver = false;
  const hasTime = (): boolean => !isOver && time.remainingMs() > RESERVE_MS;

  return async () => {
    for (;;) {
      const run = await stored(deps, id);
      if (!isUnfinished(run) || !hasTime()) return run;
      try {
        await (run.status === 'canary' ? awaitCanary(run) : giveBackSome(run));
      } catch (error) {
        if (!isEventRecoveryError(error) || error.retryable) throw error;
        await become({ status: 'failed', note: `${error.code}: ${error.message}` });
      }
    }
  };

  /** Nothing when somebody stopped it meanwhile: the next look sees that. */
  async function become(to: Transition): Promise<void> {
    await deps.runs.transition(id, UNFINISHED, to, clock.now());
  }

  async function awaitCanary(run: RedriveRun): Promise<void> {
    const canaryId = run.canaryId as string;
    const canary = await deps.deadLetters.get(canaryId);
    if (canary !== undefined && isOpen(canary) && canary.lastRunId !== id && !seen.has(canaryId)) {
      seen.add(canaryId);
      if ((await give(run, canary)) === 'changed') await become({ status: 'running', canaryId: null });
      return;
    }
    if (canary !== undefined && isOpen(canary)) {
      const { name, message } = canary.error;
      return become({ status: 'failed', note: `the canary ${canaryId} failed again: ${name}: ${message}` });
    }
    if (canary?.status !== 'redriving') return become({ status: 'running' });
    if (clock.now() - canary.updatedAt < CANARY_PATIENCE_MS) return timers.sleep(CANARY_POLL_MS);
    const minutes = CANARY_PATIENCE_MS / 60_000;
    return become({ status: 'failed', note: `the canary ${canaryId} gave no answer in ${minutes} minutes` });
  }

  async function giveBackSome(run: RedriveRun): Promise<void> {
    if (queue.length === 0) queue = await select(run);
    const first = queue[0];
    if (first === undefined) return become({ status: 'done' });
    if (run.request.action === 'redrive' && run.request.canary && run.canaryId === undefined) {
      // A parked stream first: a skipped event proves less, nothing waits behind it.
      const canary = queue.find(({ status }) => status === 'parked') ?? first;
      queue = queue.filter((letter) => letter !== canary);
      return become({ status: 'canary', canaryId: canary.id });
    }
    const intervalMs = 1_000 / run.request.ratePerSecond;
    for (const letter of queue.splice(0, LOOK_EVERY)) {
      const startedAt = clock.now();
      seen.add(letter.id);
      await give(run, letter);
      const restMs = intervalMs - (clock.now() - startedAt);
      isOver = time.remainingMs() - restMs <= RESERVE_MS;
      if (isOver) return;
      if (restMs > 0) await timers.sleep(restMs);
    }
  }

  async function select({ request, startedAt, failedUntil = startedAt }: RedriveRun): Promise<DeadLetter[]> {
    const force = request.action === 'discard' || request.force;
    // Failed again after this run gave it back, or newer than its plan: not this run's any more.
    const except = (letter: DeadLetter): boolean =>
      seen.has(letter.id) || letter.lastRunId === id || letter.lastFailedAt > failedUntil;
    return (await selectDeadLetters(deps, request.selection, { force, except })).letters;
  }

  async function give({ request }: RedriveRun, letter: DeadLetter): Promise<GivenBack> {
    const order: GiveBackOrder = {
      runId: id,
      decision: request.action === 'discard' ? 'discard' : 'retry',
      force: request.action === 'discard' || request.force,
      requestedBy: request.requestedBy,
      reason: request.reason,
      requestId: time.requestId,
    };
    const given = await giveBack({ ...deps, clock }, letter.id, order);
    const isChanged = given === 'changed';
    await deps.runs.progress(id, { done: isChanged ? 0 : 1, changed: isChanged ? 1 : 0 }, clock.now());
    return given;
  }
}
