// What can be asked of the restore function, from the console, the CLI or the state machine.

import * as z from 'zod/mini';
import { checkInput } from '../input/check.ts';

const text = (max: number) => z.string().check(z.minLength(1), z.maxLength(max));
/** Each is looked at when the plan is made. */
export const STREAMS_MAX = 200;

const COMMON = { requestedBy: z.prefault(text(256), 'unknown'), reason: z.prefault(text(1_000), 'not given') };

const REQUEST = z.discriminatedUnion('action', [
  z.strictObject({
    action: z.literal('plan'),
    /** @default the streams of the scrub's open findings */
    streams: z.optional(z.array(text(256)).check(z.minLength(1), z.maxLength(STREAMS_MAX))),
    source: z._default(z.enum(['archive', 'point-in-time']), 'archive'),
    /** Point-in-time only, milliseconds since 1970. @default one second after the youngest commit that is looked for */
    restoreTo: z.optional(z.number().check(z.int(), z.nonnegative())),
    /** Take an unreadable item at the very end, which the log does not know, for garbage: it is kept in the quarantine and removed. */
    discardUnknownEnd: z._default(z.boolean(), false),
    /** Search the log for each stream, also where the stream directory seems to fit: it may be behind. Minutes in a long log. */
    searchLog: z._default(z.boolean(), false),
    ...COMMON,
  }),
  z.strictObject({
    action: z.literal('apply'),
    planId: text(128),
    /** Who agreed to what the plan overwrites and removes. */
    approvedBy: z.optional(text(256)),
    ...COMMON,
  }),
  /** @default all streams, of each the first changes; with `stream`, all changes of that one */
  z.strictObject({ action: z.literal('status'), planId: text(128), stream: z.optional(text(256)) }),
  z.strictObject({ action: z.literal('cancel'), planId: text(128), ...COMMON }),
  /** What restores have left to humans, oldest first. */
  z.strictObject({ action: z.literal('incidents') }),
  /** Closes what restores have left to humans about one stream, when somebody has dealt with it. */
  z.strictObject({ action: z.literal('settle'), stream: text(256), ...COMMON }),
  /** What the schedule sends: go on with every restore that is not finished. */
  z.strictObject({ action: z.literal('continue') }),
]);

export type RestoreRequest = z.infer<typeof REQUEST>;
export type PlanRequest = Extract<RestoreRequest, { action: 'plan' }>;
export type ApplyRequest = Extract<RestoreRequest, { action: 'apply' }>;

/** @throws InvalidInputError `INVALID_INPUT` */
export const checkRestoreRequest = (raw: unknown): RestoreRequest => checkInput(REQUEST, raw, 'restore request');
