// The restore operation: plan, apply, status, cancel. The live table is never replaced: commits whose hash is broken or missing
// are put back one by one, each on the condition of exactly what was seen.

import { isEventRecoveryError } from '../../model/errors.ts';
import { type RestoreAnswer, restoreAnswer } from './answer.ts';
import { type ApplyDeps, rowOf, streamsOf, type WorkTime, workOnRestore } from './apply-restore.ts';
import { approve } from './approve.ts';
import { cancel } from './cancel.ts';
import { type PlanDeps, planRestore } from './plan-restore.ts';
import { checkRestoreRequest } from './request.ts';
import { type IncidentsAnswer, leftToHumans, type SettledAnswer, settle } from './settle.ts';

export interface RestoreDeps extends ApplyDeps, Omit<PlanDeps, keyof ApplyDeps> {}

export interface ContinuedAnswer {
  result: 'continued';
  restores: RestoreAnswer[];
}

type Answer = RestoreAnswer | ContinuedAnswer | IncidentsAnswer | SettledAnswer;

/** Restores that one scheduled invocation looks at: they take turns under one lease. */
const UNFINISHED_MAX = 100;

/**
 * @throws InvalidInputError and EventRecoveryError with stable codes; nothing was written then
 * @example await restore(deps, { action: 'plan', streams: ['order-17'] }, time);
 */
export async function restore(deps: RestoreDeps, raw: unknown, time: WorkTime): Promise<Answer> {
  const request = checkRestoreRequest(raw);
  switch (request.action) {
    case 'plan':
      return planRestore(deps, request, time.requestId);
    case 'apply': {
      const { id } = await approve(deps, request, time.requestId);
      await workOnRestore(deps, id, time);
      return answerOf(deps, id);
    }
    case 'status':
      return answerOf(deps, request.planId, request.stream);
    case 'cancel':
      await cancel(deps, request, time.requestId);
      return answerOf(deps, request.planId);
    case 'incidents':
      return leftToHumans(deps);
    case 'settle':
      return settle(deps, request, time.requestId);
    case 'continue':
      return continueAll(deps, time);
  }
}

async function answerOf(deps: RestoreDeps, id: string, only?: string): Promise<RestoreAnswer> {
  const row = await rowOf(deps, id);
  return restoreAnswer(row, await streamsOf(deps, id), only);
}

/** One that ends with an error does not keep the others from going on; the first error is thrown when they have. */
async function continueAll(deps: RestoreDeps, time: WorkTime): Promise<ContinuedAnswer> {
  const restores: RestoreAnswer[] = [];
  const errors: unknown[] = [];
  let looked = 0;
  for await (const id of deps.rows.unfinished()) {
    try {
      await workOnRestore(deps, id, time);
      restores.push(await answerOf(deps, id));
    } catch (error) {
      deps.logger.error('a restore did not go on', { restoreId: id, error });
      errors.push(error);
    }
    looked += 1;
    if (looked === UNFINISHED_MAX) break;
  }
  if (errors.length > 0) throw errors[0];
  return { result: 'continued', restores };
}

export interface FailedRestore {
  error: { code: string; message: string; retryable: boolean; facts: Record<string, unknown> };
}

/** As a function answers: our own errors as data, so that their codes reach the caller. Outages are thrown. */
export async function answerRestore(deps: RestoreDeps, raw: unknown, time: WorkTime): Promise<Answer | FailedRestore> {
  try {
    return await restore(deps, raw, time);
  } catch (error) {
    const isScheduled = (raw as { action?: unknown } | null | undefined)?.action === 'continue';
    if (isScheduled || !isEventRecoveryError(error) || error.retryable) throw error;
    const { code, message, retryable, facts } = error;
    return { error: { code, message, retryable, facts: { ...facts } } };
  }
}
