// Where a recovery is, and what comes next: pure. The state machine carries this document from state to state and does what
// `next` says. The rounds are bounded, those in which nothing gets better and all together: a recovery then ends with the
// verification, which says what is left.

import type { Finding } from '../diagnose/types.ts';
import type { FillBatch } from '../gap/fill-batch.ts';
import type { LeaseHandle } from '../lease/leases.ts';
import type { ReportStep } from '../report/types.ts';
import type { Left } from './collect-evidence.ts';
import { fitting, STEPS_BYTES_MAX } from './fit.ts';
import type { RecoveryRequest } from './input.ts';
import { currentJob, type Job, type Repair } from './jobs.ts';
import { answered, callOf } from './operations.ts';

/** 1 + 2 + 4 + 8 + 16 + 19 x 30 s: ten minutes, in which a canary, its schedule of a minute and consumers' retries fit. */
export const ROUNDS_MAX = 24;
/** And 300 x 120 s for a repair that says that it is at work: ten hours. A point-in-time restore of a large table takes hours. */
export const FOLLOWING_ROUNDS_MAX = ROUNDS_MAX + 300;
/**
 * All rounds of a recovery. A round is at most 28 events of the history when nothing is tried again, which may have 25,000
 * (https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html).
 */
export const ROUNDS_OVERALL_MAX = 600;
/** An execution has 14 hours: an approval of one, and a verification of a million streams, about an hour, fit behind this. */
export const ELAPSED_MAX_MS = 11.5 * 60 * 60_000;
/** Rounds of filling without a stream less before the other repairs get their turn: half a minute. */
const FILL_PATIENCE_ROUNDS = 5;
const WAIT_MAX_SECONDS = 30;
const WAIT_FOLLOWING_SECONDS = 120;

/** Seconds until the next look: short at first, so that a small repair is a short recovery. */
export const waitSeconds = (round: number): number =>
  round <= ROUNDS_MAX ? Math.min(2 ** round, WAIT_MAX_SECONDS) : WAIT_FOLLOWING_SECONDS;

export type Next = 'look' | 'ask' | 'fill-gaps' | Repair | 'verify' | 'report';

export interface Progress {
  /** Name of the execution: the recovery's id and the owner of its leases. */
  id: string;
  request: RecoveryRequest;
  /** Names of the consumers that are recovered. */
  consumers: string[];
  startedAt: number;
  /** Oldest evidence. */
  firstSignAt: number;
  /** When this document was last brought up to date. */
  at: number;
  next: Next;
  /** Looks so far; the first one diagnoses. */
  round: number;
  /** Looks since a job has begun or ended: how long is waited. */
  sinceChange: number;
  /** Looks since anything got better: a job moved on, or fewer streams had gaps than ever before. */
  quietRounds: number;
  /** Looks since fewer streams had gaps than ever before, and how many these were. */
  gapRounds: number;
  lowestGaps?: number;
  /** How long the state machine waits before it looks again. */
  waitSeconds: number;
  findings: Finding[];
  /** Of the last look: what a person has to do, or wait for. */
  standing: Finding[];
  jobs: Job[];
  /** Request to the function of the current job. */
  call?: Record<string, unknown>;
  /** Gaps to fill in this round. */
  batches: FillBatch[];
  steps: ReportStep[];
  leases: LeaseHandle[];
  /** What is left to repair; absent before the first look. */
  left?: Left;
  /** Of a redriven execution: how often, and when it went on. */
  redrives?: number;
  resumedAt?: number;
}

type Deciding = Pick<
  Progress,
  'request' | 'round' | 'startedAt' | 'resumedAt' | 'at' | 'quietRounds' | 'gapRounds' | 'jobs' | 'standing'
>;

/** Giving back un-parks streams, a replay rewinds them: their debt then is an open gap like any other. */
export const mayFill = ({ request: { actions }, jobs }: Pick<Deciding, 'request' | 'jobs'>): boolean =>
  actions.includes('fill-gaps') || actions.includes('repair') || jobs.some(({ startedAt }) => startedAt !== undefined);

/**
 * What is stored before what is delivered, gaps before dead letters: what fills a gap may need no dead letter. A job is asked
 * for once and then followed; a failed one ends the recovery. What is only on its way is waited for.
 */
export function decideNext(progress: Deciding, left: Left): Next {
  const { request, quietRounds, gapRounds, jobs, standing } = progress;
  const job = currentJob(jobs);
  if (jobs.some(({ failure }) => failure !== undefined)) return 'report';
  if (request.dryRun) return job?.repair ?? 'report';
  if (request.actions.includes('propose')) return 'report';
  if (request.actions.every((action) => action === 'verify')) return 'verify';
  if (quietRounds > (job?.phase === 'follow' ? FOLLOWING_ROUNDS_MAX : ROUNDS_MAX)) return 'verify';
  if (progress.round > ROUNDS_OVERALL_MAX || progress.at - (progress.resumedAt ?? progress.startedAt) > ELAPSED_MAX_MS)
    return 'verify';
  if (job !== undefined && BEFORE_GAPS.has(job.repair)) return nextOf(job);
  // Gaps of a consumer that is down must not keep the repairs of the others waiting.
  const isStuck = job !== undefined && gapRounds > FILL_PATIENCE_ROUNDS;
  if (left.gapStreams > 0 && mayFill(progress) && !isStuck) return 'fill-gaps';
  if (job !== undefined) return nextOf(job);
  const isBackfilling = standing.some(({ cause }) => cause === 'backfill-waiting');
  const isUnknown = left.unscanned > 0 && mayFill(progress);
  const isUnderWay = isUnknown || isBackfilling || left.redriving > 0 || (left.lagStreams > 0 && mayFill(progress));
  return isUnderWay ? 'look' : 'verify';
}

/** What is stored, and whether deliveries arrive at all. */
const BEFORE_GAPS: ReadonlySet<Repair> = new Set(['restore', 'enable', 'replay']);

const nextOf = ({ phase, repair }: Job): Next => (phase === 'ask' ? 'ask' : repair);

/** The state that does what comes next. */
export const STATES: Readonly<Record<Next, string>> = {
  look: 'WaitForProgress',
  ask: 'AskApproval',
  'fill-gaps': 'FillGaps',
  resume: 'ResumeFromCheckpoint',
  restore: 'Restore',
  redrive: 'RedriveDeadLetters',
  replay: 'Replay',
  enable: 'EnableRule',
  verify: 'VerifyConsistency',
  report: 'ReportStatus',
};

/** What is known after a state has ended and the system was looked at again. */
export interface Seen {
  left: Left;
  batches: FillBatch[];
  standing: Finding[];
  /** Answer of the last repair's function. */
  operation?: unknown;
  /** Of the one who agreed. */
  approval?: { approvedBy: string };
}

/** After a round: what the last state changed becomes a step, and the next one is decided. */
export function advance(progress: Progress, seen: Seen, now: number): Progress {
  const { left, batches, standing } = seen;
  const jobs = progress.jobs.map((job) =>
    job === currentJob(progress.jobs) ? movedOn(job, progress, seen, now) : job,
  );
  const isChanged = jobs.some(({ phase }, index) => phase !== progress.jobs[index]?.phase);
  const { lowestGaps = left.gapStreams } = progress;
  const isLower = left.gapStreams < lowestGaps;
  const sinceChange = isChanged ? 1 : progress.sinceChange + 1;
  const moved: Progress = {
    ...progress,
    round: progress.round + 1,
    sinceChange,
    quietRounds: isChanged || isLower ? 1 : progress.quietRounds + 1,
    gapRounds: isLower ? 1 : progress.gapRounds + 1,
    lowestGaps: Math.min(lowestGaps, left.gapStreams),
    waitSeconds: waitSeconds(sinceChange - 1),
    jobs,
    left,
    batches,
    standing,
    at: now,
  };
  const step = stepOf(progress, moved, left, now);
  return decided({ ...moved, steps: joined(progress.steps, step) }, left);
}

function movedOn(job: Job, { next, request }: Progress, { operation, approval }: Seen, now: number): Job {
  if (next === 'ask' && job.phase === 'ask' && approval !== undefined) {
    return { ...job, phase: 'start', approvedBy: approval.approvedBy, summary: `approved by ${approval.approvedBy}` };
  }
  return next === job.repair ? answered(job, operation, request.dryRun, now) : job;
}

/** Sets `next`, and the request that goes with it. */
export function decided(progress: Progress, left: Left): Progress {
  const next = decideNext(progress, left);
  const job = currentJob(progress.jobs);
  const call = job !== undefined && next === job.repair ? callOf(job, progress.request) : undefined;
  return { ...progress, next, call, batches: next === 'fill-gaps' ? progress.batches : [] };
}

function stepOf(before: Progress, after: Progress, left: Left, now: number): ReportStep {
  const job = currentJob(before.jobs);
  const isJob = job !== undefined && (before.next === job.repair || before.next === 'ask');
  const done = isJob ? after.jobs[before.jobs.indexOf(job)] : undefined;
  const was = before.left ?? left;
  const isSettled = left.gapStreams === 0 && left.lagStreams === 0 && left.openLetters === 0;
  return {
    name: STATES[before.next],
    startedAt: before.at,
    endedAt: now,
    outcome: done?.failure !== undefined ? 'failed' : isSettled ? 'done' : 'waiting',
    summary:
      `${done?.summary === undefined ? '' : `${done.summary}; `}streams with gaps: ${was.gapStreams} -> ${left.gapStreams}; ` +
      `open dead letters: ${was.openLetters} -> ${left.openLetters}`,
  };
}

/** Rounds of the same kind are one step of the report. */
function joined(steps: readonly ReportStep[], step: ReportStep): ReportStep[] {
  const last = steps.at(-1);
  if (last?.name !== step.name) return shortened([...steps, step]);
  return shortened([...steps.slice(0, -1), { ...step, startedAt: last.startedAt }]);
}

/** Name of the step that stands for those that there is no room for. */
export const EARLIER = 'Earlier';

/** The first step is the diagnosis. The newest are kept; the others become one, with their time. */
function shortened(steps: readonly ReportStep[]): ReportStep[] {
  const [diagnosis, ...later] = steps;
  if (diagnosis === undefined) return [];
  const newest = fitting(later.toReversed(), STEPS_BYTES_MAX).toReversed();
  const older = later.slice(0, later.length - newest.length);
  const [first, last] = [older[0], older.at(-1)];
  if (first === undefined || last === undefined) return [...steps];
  const summary = 'repairs and looks for which this report has no room; the history of the execution has all of them';
  const earlier = { ...first, name: EARLIER, endedAt: last.endedAt, outcome: last.outcome, summary };
  return [diagnosis, earlier, ...newest];
}
