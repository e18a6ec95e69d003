// What can be asked of the replay function, from the console, the CLI or the state machine: docs/operations/replay.md.

import * as z from 'zod/mini';
import { InvalidInputError } from '../../model/errors.ts';
import { checkInput } from '../input/check.ts';
import { SELECTION } from '../plan/selection.ts';

const text = (max: number) => z.string().check(z.minLength(1), z.maxLength(max));

const COMMON = { requestedBy: z.prefault(text(256), 'unknown'), reason: z.prefault(text(1_000), 'not given') };

const WHAT = {
  mode: z.enum(['resume', 'rewind', 'redeliver', 'fill', 'backfill']),
  consumer: text(48),
  /** Fields combine with "and"; nothing with the modes fill and backfill. */
  selection: z.prefault(SELECTION, {}),
  /** Events per second. */
  ratePerSecond: z._default(z.number().check(z.gte(0.1), z.lte(1_000_000)), 100),
  /** Share of streams that may fail before it stops by itself. */
  maxFailureRate: z._default(z.number().check(z.gte(0), z.lte(1)), 0.1),
  /** Resume, rewind and backfill only. */
  suppressEffects: z._default(z.boolean(), false),
};

const REQUEST = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('plan'), ...WHAT, ...COMMON }),
  z.strictObject({
    action: z.literal('start'),
    /** Of an answer to "plan". Or the fields of "plan": then it plans, and starts what it planned. */
    planId: z.optional(text(128)),
    ...z.partial(z.strictObject(WHAT)).shape,
    /** When what the plan was made from has changed: plan the same again, and start that. */
    replan: z._default(z.boolean(), false),
    /** Only say what would be done. */
    dryRun: z._default(z.boolean(), true),
    ...COMMON,
  }),
  z.strictObject({ action: z.literal('status'), replayId: z.optional(text(128)), consumer: z.optional(text(48)) }),
  z.strictObject({ action: z.enum(['pause', 'resume', 'cancel']), replayId: text(128), ...COMMON }),
  /** What the schedule sends: go on with every replay that is not finished, begin the backfills that wait. */
  z.strictObject({ action: z.literal('continue') }),
]);

export type ReplayRequest = z.infer<typeof REQUEST>;
export type PlanningRequest = Extract<ReplayRequest, { action: 'plan' }>;
export type StartRequest = Extract<ReplayRequest, { action: 'start' }>;
export type ChangeRequest = Extract<ReplayRequest, { action: 'pause' | 'resume' | 'cancel' }>;

/** @throws InvalidInputError `INVALID_INPUT` */
export function checkReplayRequest(raw: unknown): ReplayRequest {
  const request = checkInput(REQUEST, raw, 'replay request');
  if (request.action === 'start' && (request.planId === undefined) === (request.mode === undefined)) {
    throw new InvalidInputError('INVALID_INPUT', {
      what: 'replay request: planId',
      got: request.planId ?? 'neither planId nor mode',
      allowed: 'the id of a plan, or the fields of a plan, not both',
      remedy: 'plan first: { "action": "plan", ... }, then start with its planId',
    });
  }
  return request;
}
