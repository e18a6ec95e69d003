// How the recovery speaks with the functions that repair: which request comes next for a job, and what an answer means for it.
// Pure. An answer with an error ends the job with a failure; a job that overwrites waits for somebody who agrees.

import { sentence } from './fit.ts';
import type { RecoveryRequest } from './input.ts';
import type { Extent, Job, Repair } from './jobs.ts';

/** What an answer means, whatever function gave it. */
interface Heard {
  /** Nothing is to be done, or all of it is done. */
  isEnded: boolean;
  operationId?: string;
  summary: string;
  /** It would overwrite what is stored, or repeat effects. */
  overwrites?: boolean;
  /** Of a plan that is made again when it goes stale. */
  extent?: Extent;
  failure?: Job['failure'];
  /** Another try with another request. */
  again?: Record<string, unknown>;
}

interface Operation {
  /** The request of each phase, without who asks for it. */
  call(job: Job, isDryRun: boolean): Record<string, unknown>;
  /** What of an answer is heard: bounded, whatever the answer lists. */
  brief(answer: never): object;
  hear(answer: never, job: Job): Heard;
  /** What an error means besides a failure: how the job goes on. */
  hearError?(error: BriefError, job: Job): Partial<Job> | undefined;
}

/** Of an answer with an error. */
export interface BriefError {
  code: string;
  message: string;
  facts?: { replayId?: unknown };
}

type Who = Pick<RecoveryRequest, 'requestedBy' | 'reason'>;

/** What the state machine sends to the function of the job's repair. */
export function callOf(job: Job, { requestedBy, reason }: Who): Record<string, unknown> {
  const call = OPERATIONS[job.repair].call(job, job.phase === 'plan');
  return { ...call, ...(call.action !== 'status' && { requestedBy, reason }), brief: true };
}

/** What of an answer travels through the state machine. */
export const heardOf = (repair: Repair, answer: unknown): object => OPERATIONS[repair].brief(answer as never);

/** The job after its function answered. */
export function answered(job: Job, answer: unknown, isDryRun: boolean, now: number): Job {
  const { error } = (answer ?? {}) as { error?: BriefError };
  if (error !== undefined) {
    const message = sentence(error.message);
    const goesOn = OPERATIONS[job.repair].hearError?.(error, job);
    if (goesOn !== undefined) return { ...job, ...goesOn, summary: `${error.code}: ${message}` };
    return { ...job, phase: 'ended', failure: { code: error.code, message }, summary: `${error.code}: ${message}` };
  }
  const heard = OPERATIONS[job.repair].hear(answer as never, job);
  const { isEnded, operationId = job.operationId, failure, again } = heard;
  const summary = sentence(heard.summary);
  const next = { ...job, operationId, summary, ...(failure && { failure }) };
  if (again !== undefined) return { ...job, phase: 'plan', request: again, operationId: undefined, summary };
  if (isEnded && job.isOthers && !IN_THE_WAY.has(failure?.code ?? '')) {
    const { operationId: _theirs, isOthers: _is, ...own } = job;
    return { ...own, phase: 'start', summary };
  }
  if (isDryRun) return { ...next, phase: 'ended' };
  // Also one that is done with its first answer has left debts: what it un-parked is waited for.
  const isBegun = job.phase !== 'plan' && heard.operationId !== undefined;
  const begun = { ...next, ...(isBegun && { startedAt: job.startedAt ?? now }) };
  if (isEnded) return { ...begun, phase: 'ended' };
  return job.phase === 'plan' ? planned(next, heard) : { ...begun, phase: 'follow' };
}

/** What was agreed to may be done; what goes beyond it is asked about again. */
function planned(job: Job, { overwrites, extent }: Heard): Job {
  const { approvedBy, replan: _replan, asks = 0, ...rest } = job;
  if (!overwrites || (approvedBy !== undefined && isWithin(extent, job.asked))) return { ...job, phase: 'start' };
  if (asks < ASKS_MAX) return { ...rest, phase: 'ask', asked: extent, asks: asks + 1 };
  const message = `what would be repeated has outgrown ${asks} approvals: ${job.summary ?? ''}`;
  return {
    ...job,
    phase: 'ended',
    failure: { code: 'APPROVAL_OUTGROWN', message: sentence(`${message}; remedy: select less, by position or time`) },
  };
}

const ASKS_MAX = 3;
/** A consumer that is alive goes on while somebody thinks: so much more is the same plan. */
const GROWTH_EVENTS = 100;
const GROWTH = 1.1;

const isWithin = (extent: Extent | undefined, asked: Extent | undefined): boolean =>
  extent !== undefined &&
  asked !== undefined &&
  extent.repeats <= Math.max(asked.repeats * GROWTH, asked.repeats + GROWTH_EVENTS) &&
  extent.streams <= Math.max(asked.streams * GROWTH, asked.streams + GROWTH_EVENTS);

/** Ends of somebody else's replay that leave its place taken. */
const IN_THE_WAY = new Set(['REPLAY_STOPPED']);

/** As lib/recovery/redrive/answer.ts has it. */
interface RedriveSaid {
  result: string;
  count: number;
  exhausted: number;
  runs: { id: string; status: string; done: number; note?: string }[];
}

const redrive: Operation = {
  brief: ({ result, count, exhausted, runs }: RedriveSaid) => ({
    result,
    count,
    exhausted,
    runs: runs.slice(0, 1).map(({ id, status, done, note }) => ({ id, status, done, note: shortened(note) })),
  }),
  call: ({ phase, operationId, request }, isDryRun) =>
    phase === 'follow' ? { action: 'status', runId: operationId } : { action: 'redrive', ...request, dryRun: isDryRun },
  hear({ result, count, exhausted, runs }: RedriveSaid) {
    const [run] = runs;
    const told = exhausted > 0 ? `; ${exhausted} have used up their rounds` : '';
    if (run === undefined) {
      const what = count > 0 ? `would give back ${count} dead letters` : 'nothing to give back';
      return { isEnded: true, summary: `${what}${told}` };
    }
    const note = run.note === undefined ? '' : ` (${run.note})`;
    return {
      isEnded: ['done', 'failed', 'stopped', 'nothing'].includes(result),
      operationId: run.id,
      summary: `run ${run.status}: ${run.done} given back${note}${told}`,
    };
  },
};

/** As lib/recovery/replay/answer.ts has it. */
interface ReplaySaid {
  result: string;
  plan?: { id: string; mode: string; totals: { streams: number; events: number; expectedRepeats: number } };
  replay?: {
    id: string;
    status: string;
    percent: number;
    events: { all: number; done: number };
    rows: { failed: number };
    note?: string;
  };
}

const replay: Operation = {
  brief: ({ result, plan, replay: run }: ReplaySaid) => ({
    result,
    ...(plan && { plan: { id: plan.id, mode: plan.mode, totals: plan.totals } }),
    ...(run && {
      replay: {
        id: run.id,
        status: run.status,
        percent: run.percent,
        events: run.events,
        rows: run.rows,
        note: shortened(run.note),
      },
    }),
  }),
  call({ phase, operationId, request, repair, replan }) {
    const asked = repair === 'resume' ? { mode: 'resume', selection: { everything: true }, ...request } : request;
    if (phase === 'plan') return { action: 'plan', ...asked };
    if (phase === 'follow') return { action: 'status', replayId: operationId };
    const what = operationId === undefined ? asked : { planId: operationId, ...(replan && { replan }) };
    return { action: 'start', ...what, dryRun: false };
  },
  hearError({ code, facts }, { repair, phase, replan }) {
    if (phase !== 'start') return undefined;
    const replayId = facts?.replayId;
    // Our own one whose answer was lost, or one that somebody has begun: a resume is waited for either way.
    if (code === 'REPLAY_RUNNING' && repair === 'resume' && typeof replayId === 'string') {
      return { phase: 'follow', operationId: replayId, isOthers: true };
    }
    // A consumer that is alive moves its checkpoints between the plan, the approval and the beginning. The selection is the same,
    // what it means is looked at again.
    return code === 'PLAN_STALE' && replan === undefined
      ? { phase: 'plan', operationId: undefined, replan: true }
      : undefined;
  },
  hear({ result, plan, replay: run }: ReplaySaid) {
    if (run !== undefined) {
      const summary = `replay ${run.status}: ${run.events.done} of ${run.events.all} events, ${run.percent} %`;
      const message = `${summary}${run.note === undefined ? '' : `: ${run.note}`}`;
      const isBroken = run.status === 'stopped' || run.status === 'cancelled';
      return {
        isEnded: isBroken || run.status === 'done',
        operationId: run.id,
        summary: message,
        ...(isBroken && { failure: { code: `REPLAY_${run.status.toUpperCase()}`, message: sentence(message) } }),
        // At its end a replay that failed in part is done all the same; a recovery with it is not.
        ...(run.status === 'done' &&
          run.rows.failed > 0 && {
            failure: { code: 'REPLAY_ROWS_FAILED', message: sentence(`${run.rows.failed} parts failed: ${message}`) },
          }),
      };
    }
    const { streams = 0, events = 0, expectedRepeats = 0 } = plan?.totals ?? {};
    return {
      isEnded: result === 'nothing',
      // A plan of nothing is never begun.
      ...(result !== 'nothing' && { operationId: plan?.id }),
      overwrites: plan?.mode === 'rewind' || expectedRepeats > 0,
      extent: { streams, repeats: expectedRepeats },
      summary: `plan: ${events} events of ${streams} streams, ${expectedRepeats} of them again`,
    };
  },
};

/** As lib/recovery/restore/answer.ts has it. */
interface RestoreSaid {
  result: string;
  planId?: string;
  source?: string;
  needsApproval: boolean;
  totals: Record<
    'streams' | 'inserts' | 'overwrites' | 'removals' | 'forks' | 'written' | 'notFound' | 'stale',
    number
  > & { failed?: number; conflicting?: number; directories?: number };
  note?: string;
}

const restore: Operation = {
  brief: ({ result, planId, source, needsApproval, totals, note }: RestoreSaid) => ({
    result,
    planId,
    source,
    needsApproval,
    totals,
    note: shortened(note),
  }),
  call({ phase, operationId, request, approvedBy }) {
    if (phase === 'plan') return { action: 'plan', ...request };
    if (phase === 'follow') return { action: 'status', planId: operationId };
    return { action: 'apply', planId: operationId, ...(approvedBy !== undefined && { approvedBy }) };
  },
  hear({ result, planId, source, needsApproval, totals, note }: RestoreSaid, job) {
    const { streams, inserts, overwrites, removals, written, notFound, stale, failed = 0, conflicting = 0 } = totals;
    const { directories = 0 } = totals;
    const rebuild = directories === 0 ? '' : `, rebuild ${directories} items of the stream directory`;
    const summary =
      job.phase === 'plan'
        ? `plan from the ${source ?? 'archive'}: put back ${inserts}, overwrite ${overwrites} and remove ${removals} commits of ${streams} streams${rebuild}`
        : `restore ${result}: ${written} commits written in ${streams} streams${note === undefined ? '' : `: ${note}`}`;
    const base = { operationId: planId, summary: sentence(summary) };
    if (result === 'done' && notFound > 0 && source === 'archive') {
      // What the archive does not have is looked for in the table's own backups.
      return { ...base, isEnded: false, again: { ...job.request, source: 'point-in-time' } };
    }
    if (result === 'failed' || result === 'cancelled') {
      return { ...base, isEnded: true, failure: { code: `RESTORE_${result.toUpperCase()}`, message: base.summary } };
    }
    if (result === 'done' && notFound + stale + failed + conflicting > 0) {
      const left = `${notFound} without a copy, ${stale} changed since, ${failed} failed, ${conflicting} forks in conflict`;
      const message = `restore ${String(planId)} did not repair everything: ${left}`;
      return { ...base, summary: message, isEnded: true, failure: { code: 'RESTORE_INCOMPLETE', message } };
    }
    return { ...base, isEnded: result === 'done' || result === 'nothing', overwrites: needsApproval };
  },
};

/** Undefined stays away in JSON. */
const shortened = (note: string | undefined): string | undefined => (note === undefined ? undefined : sentence(note));

/** As lib/recovery/enable/enable-rule.ts has it. */
interface EnableSaid {
  result: string;
  rule: string;
  consumer: string;
}

const enable: Operation = {
  call: ({ phase, request, approvedBy }) => ({
    action: phase === 'plan' ? 'plan' : 'apply',
    ...request,
    ...(approvedBy !== undefined && { approvedBy }),
  }),
  brief: ({ result, rule, consumer }: EnableSaid) => ({ result, rule, consumer }),
  hear({ result, rule, consumer }: EnableSaid, { phase }) {
    const is = result === 'planned' ? 'disabled, enable it' : 'enabled';
    return {
      isEnded: result === 'nothing' || phase !== 'plan',
      operationId: rule,
      summary: `rule ${rule} of ${consumer}: ${is}`,
      overwrites: true,
    };
  },
};

const OPERATIONS: Readonly<Record<Repair, Operation>> = { redrive, enable, replay, resume: replay, restore };
