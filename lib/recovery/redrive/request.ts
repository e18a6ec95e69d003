// What can be asked of the redrive function, from the console, the CLI or the state machine.

import * as z from 'zod/mini';
import { InvalidInputError } from '../../model/errors.ts';
import { checkInput } from '../input/check.ts';

const text = (max: number) => z.string().check(z.minLength(1), z.maxLength(max));
const milliseconds = z.number().check(z.int(), z.nonnegative());

/** Fields combine with "and". */
const SELECTION = z.strictObject({
  id: z.optional(text(512)),
  eventId: z.optional(text(128)),
  consumer: z.optional(text(48)),
  eventType: z.optional(text(128)),
  fingerprint: z.optional(text(128)),
  failedFrom: z.optional(milliseconds),
  failedTo: z.optional(milliseconds),
});

const COMMON = { requestedBy: z.prefault(text(256), 'unknown'), reason: z.prefault(text(1_000), 'not given') };

const SELECTING = {
  selection: SELECTION,
  /** Only say what would be done, as a plan that can be started. */
  dryRun: z._default(z.boolean(), true),
};

const REQUEST = z.discriminatedUnion('action', [
  z.strictObject({
    action: z.literal('redrive'),
    ...SELECTING,
    /** One stream first; the rest only when it succeeds. */
    canary: z._default(z.boolean(), true),
    /** Dead letters per second. */
    ratePerSecond: z._default(z.number().check(z.gte(0.1), z.lte(1_000)), 10),
    /** Also those whose rounds are used up; needs a reason. */
    force: z._default(z.boolean(), false),
    ...COMMON,
  }),
  z.strictObject({
    action: z.literal('discard'),
    ...SELECTING,
    ratePerSecond: z._default(z.number().check(z.gte(0.1), z.lte(1_000)), 10),
    ...COMMON,
    reason: text(1_000),
  }),
  /** What waits for a decision, in the order in which it would be given back. Plans nothing. */
  z.strictObject({ action: z.literal('list'), selection: SELECTION }),
  /** Does what a plan says. */
  z.strictObject({
    action: z.literal('start'),
    planId: text(128),
    dryRun: z._default(z.boolean(), true),
    /** When the dead letters are not those of the plan any more: plan the same again, and start that. */
    replan: z._default(z.boolean(), false),
    ...COMMON,
  }),
  z.strictObject({ action: z.literal('status'), runId: text(128) }),
  z.strictObject({ action: z.literal('stop'), runId: text(128), ...COMMON }),
  z.strictObject({ action: z.literal('resume'), runId: text(128), ...COMMON }),
  /** What the schedule sends: go on with every run that is not finished. */
  z.strictObject({ action: z.literal('continue') }),
]);

export type RedriveRequest = z.infer<typeof REQUEST>;
export type RedriveSelection = z.infer<typeof SELECTION>;
export type SelectingRequest = Extract<RedriveRequest, { action: 'redrive' | 'discard' }>;
export type StartRequest = Extract<RedriveRequest, { action: 'start' }>;
export type ListRequest = Extract<RedriveRequest, { action: 'list' }>;

/** @throws InvalidInputError `INVALID_INPUT`, `EMPTY_SELECTION`, `REASON_REQUIRED` */
export function checkRedriveRequest(raw: unknown): RedriveRequest {
  const request = checkInput(REQUEST, raw, 'redrive request');
  if (request.action !== 'redrive' && request.action !== 'discard' && request.action !== 'list') return request;
  if (Object.keys(request.selection).length === 0) {
    throw new InvalidInputError('EMPTY_SELECTION', {
      what: 'selection',
      got: request.selection,
      allowed: 'at least one of id, eventId, consumer, eventType, fingerprint, failedFrom, failedTo',
      remedy: 'to take everything of a consumer, select the consumer',
    });
  }
  if (request.action === 'redrive' && request.force && request.reason === 'not given') {
    throw new InvalidInputError('REASON_REQUIRED', {
      what: 'reason',
      got: request.reason,
      allowed: 'why dead letters whose rounds are used up should be tried again',
      remedy: 'say what was changed since the last round',
    });
  }
  return request;
}
