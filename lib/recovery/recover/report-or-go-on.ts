// The last state of a recovery, and the first of one that is redriven. What a function could not carry out is reported; then the
// execution fails at this very state, so that a redrive (RedriveExecution begins at the state that failed, with its input) comes
// here again and goes on: leases taken again, the system looked at, what was done before kept.
// https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html

import type { Leases } from '../lease/leases.ts';
import { type Accumulated, type Finished, failedSteps, finishRecovery, type ReportOutlets } from './finish.ts';
import type { Progress } from './progress.ts';
import { LEASE_MS } from './recover.ts';
import { StepFailed } from './step-failed.ts';

export interface ReportDeps {
  leases: Pick<Leases, 'acquire' | 'release'>;
  outlets: ReportOutlets;
}

/** The state machine's document from here on: its end, or a recovery that looks again. */
export type Reported = { report: Finished } | Pick<Accumulated, 'progress' | 'before' | 'beforeFailure'>;

/**
 * @param redriveCount how often the execution was redriven
 * @throws StepFailed `ReportFailed`; `RepairFailed` and `VerificationFailed` after the report was stored; `AlreadyRecovering` when
 * a redriven one meets another recovery of its consumers
 */
export async function reportOrGoOn(
  deps: ReportDeps,
  accumulated: Accumulated,
  { redriveCount, now }: { redriveCount: number; now: number },
): Promise<Reported> {
  const { progress, repairFailure, verifyFailure } = accumulated;
  const failure = repairFailure ?? verifyFailure;
  if (failure !== undefined && redriveCount > (progress.redrives ?? 0)) {
    return goOn(deps, accumulated, { redriveCount, now });
  }
  const report = await finishRecovery(deps, accumulated, now);
  if (failure === undefined || accumulated.approvalFailure !== undefined) return { report };
  const what = `${failure.Error}: ${(failure.Cause ?? 'no cause given').slice(0, 500)}`;
  throw new StepFailed(
    repairFailure === undefined ? 'VerificationFailed' : 'RepairFailed',
    `${what}; the report is ${report.key}; remedy: remove the cause, then redrive this execution`,
  );
}

async function goOn(
  { leases }: ReportDeps,
  accumulated: Accumulated,
  { redriveCount, now }: { redriveCount: number; now: number },
): Promise<Reported> {
  const { progress, before, beforeFailure } = accumulated;
  const retaken: Progress['leases'] = [];
  for (const { name, owner } of progress.leases) {
    const lease = await leases.acquire(name, owner, now, LEASE_MS);
    if (lease.kind === 'held') {
      for (const mine of retaken) await leases.release(mine);
      throw new StepFailed(
        'AlreadyRecovering',
        `${name} is held by ${lease.owner}; remedy: redrive again when it has ended`,
      );
    }
    retaken.push({ name, owner, token: lease.token });
  }
  return {
    progress: {
      ...progress,
      next: 'look',
      leases: retaken,
      steps: [...progress.steps, ...failedSteps(accumulated, now)],
      redrives: redriveCount,
      resumedAt: now,
      at: now,
      quietRounds: Math.min(progress.quietRounds, 1),
      sinceChange: Math.min(progress.sinceChange, 1),
      waitSeconds: 0,
    },
    ...(before !== undefined && { before }),
    ...(beforeFailure !== undefined && { beforeFailure }),
  };
}
