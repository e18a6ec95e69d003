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

const REQUEST = z.discriminatedUnion('action', [
  z.strictObject({
    action: z.literal('redrive'),
    selection: SELECTION,
    /** Only say what would be done. */
    dryRun: z._default(z.boolean(), true),
    /** Of the dry run that was agreed to: refused when what it saw has changed. */
    seen: z.optional(text(64)),
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
    selection: SELECTION,
    dryRun: z._default(z.boolean(), true),
    /** Of the dry run that was agreed to: refused when what it saw has changed. */
    seen: z.optional(text(64)),
    ratePerSecond: z._default(z.number().check(z.gte(0.1), z.lte(1_000)), 10),
    ...COMMON,
    reason: text(1_000),
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

/** @throws InvalidInputError `INVALID_INPUT`, `EMPTY_SELECTION`, `REASON_REQUIRED` */
export function checkRedriveRequest(raw: unknown): RedriveRequest {
  const request = checkInput(REQUEST, raw, 'redrive request');
  if (request.action !== 'redrive' && request.action !== 'discard') return request;
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
