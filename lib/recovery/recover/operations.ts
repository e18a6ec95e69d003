// How the recovery speaks with the functions that repair: which request comes next for a job, and what an answer means for it.
// Pure. An answer with an error, or one that is not understood, ends the job with a failure.

import type { RedriveAnswer } from '../redrive/answer.ts';
import type { RecoveryRequest } from './input.ts';
import type { Job } from './jobs.ts';

/** As functions answer bad input and refusals. */
interface Failed {
  error: { code: string; message: string };
}

/** What the state machine sends to the function of the job's repair. */
export function callOf({ phase, operationId, request }: Job, who: Pick<RecoveryRequest, 'requestedBy' | 'reason'>) {
  if (phase === 'follow') return { action: 'status', runId: operationId };
  const { requestedBy, reason } = who;
  return { action: 'redrive', ...request, dryRun: false, requestedBy, reason };
}

/** The job after its function answered. */
export function answered(job: Job, answer: unknown, now: number): Job {
  const { error } = (answer ?? {}) as Partial<Failed>;
  if (error !== undefined) {
    const { code, message } = error;
    return { ...job, phase: 'ended', failure: { code, message }, summary: `${code}: ${message}`.slice(0, 500) };
  }
  return redriveAnswered({ ...job, startedAt: job.startedAt ?? now }, answer as RedriveAnswer);
}

const REDRIVE_ENDED: readonly RedriveAnswer['result'][] = ['done', 'failed', 'stopped', 'nothing'];

function redriveAnswered(job: Job, { result, runs, exhausted }: RedriveAnswer): Job {
  const [run] = runs;
  const told = exhausted > 0 ? `; ${exhausted} have used up their rounds` : '';
  const summary =
    run === undefined
      ? `nothing to give back${told}`
      : `run ${run.status}: ${run.done} given back${run.note === undefined ? '' : ` (${run.note})`}${told}`;
  const isEnded = run === undefined || REDRIVE_ENDED.includes(result);
  return { ...job, phase: isEnded ? 'ended' : 'follow', operationId: run?.id ?? job.operationId, summary };
}
