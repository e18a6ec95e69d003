// What the recovery's functions are handed by the state machine, checked as far as they walk through it. Anybody who may
// invoke a function can hand it something else: that is an error with a code, before anything is read or written.

import * as z from 'zod/mini';
import type { AskInput } from '../approval/ask-approval.ts';
import { checkInput } from '../input/check.ts';
import type { Accumulated } from './finish.ts';
import type { LookInput } from './recover.ts';

export type DiagnoseRequest = { step: 'begin'; id: string; input: unknown } | { step: 'look'; state: LookInput };

const text = z.string().check(z.minLength(1), z.maxLength(1_024));
const time = z.number().check(z.nonnegative());
const things = z.array(z.looseObject({}));

const PROGRESS = z.looseObject({
  id: text,
  request: z.looseObject({ actions: z.array(text), requestedBy: text, reason: text, trigger: text }),
  consumers: z.array(text),
  leases: z.array(z.looseObject({ name: text, owner: text, token: z.number() })),
  startedAt: time,
  round: time,
  next: text,
  findings: things,
  // A recovery that a former version began has none.
  standing: z._default(things, []),
  jobs: z.array(z.looseObject({ repair: text })),
  steps: things,
});
/** Or why there is none. */
const VERDICT = z.union([
  z.looseObject({ ok: z.boolean(), consumers: things, violations: things }),
  z.looseObject({ error: z.looseObject({ code: text, message: z.string() }) }),
]);
const FAILURE = z.looseObject({ Error: z.optional(z.string()), Cause: z.optional(z.string()) });

const REQUEST = z.discriminatedUnion('step', [
  z.looseObject({ step: z.literal('begin'), id: text, input: z.optional(z.unknown()) }),
  z.looseObject({
    step: z.literal('look'),
    state: z.looseObject({
      progress: PROGRESS,
      before: z.optional(z.looseObject({ violations: z.optional(things) })),
      approval: z.optional(z.looseObject({ approvedBy: text })),
    }),
  }),
]);

const ACCUMULATED = z.looseObject({
  accumulated: z.looseObject({
    progress: PROGRESS,
    before: z.optional(VERDICT),
    verdict: z.optional(VERDICT),
    repairFailure: z.optional(FAILURE),
    approvalFailure: z.optional(FAILURE),
    beforeFailure: z.optional(FAILURE),
    verifyFailure: z.optional(FAILURE),
  }),
  /** `$$.Execution`, of which the count of redrives is read. */
  execution: z.optional(z.looseObject({ RedriveCount: z.optional(time) })),
});

/** @throws InvalidInputError `INVALID_INPUT` */
export const checkDiagnoseRequest = (raw: unknown): DiagnoseRequest =>
  checkInput(REQUEST, raw, 'request of the diagnosis') as unknown as DiagnoseRequest;

const ASK = z.looseObject({
  token: z.string().check(z.minLength(1), z.maxLength(2_048)),
  timeoutSeconds: z.number().check(z.int(), z.positive(), z.lte(86_400)),
  progress: PROGRESS,
});

/** @throws InvalidInputError `INVALID_INPUT` */
export const checkAskInput = (raw: unknown): AskInput =>
  checkInput(ASK, raw, 'request for an approval') as unknown as AskInput;

/** @throws InvalidInputError `INVALID_INPUT` */
export function checkAccumulated(raw: unknown): { accumulated: Accumulated; redriveCount: number } {
  const { accumulated, execution } = checkInput(ACCUMULATED, raw, 'request of the report');
  return { accumulated: accumulated as unknown as Accumulated, redriveCount: execution?.RedriveCount ?? 0 };
}
