// What can be asked of the verification: everything in this one invocation, or one step of a large one.

import * as z from 'zod/mini';
import { checkInput } from '../../lib/recovery/input/check.ts';
import { VIOLATIONS_LISTED_MAX } from '../../lib/recovery/verify/types.ts';

const STREAMS_MAX = 5_000;
const name = z.string().check(z.minLength(1), z.maxLength(256));
const count = z.number().check(z.int(), z.nonnegative());

const SCOPE = {
  consumers: z.optional(z.array(name).check(z.minLength(1), z.maxLength(1_000))),
  streamPrefix: z.optional(name),
  /** Also refuse events that are on their way. */
  quiet: z._default(z.boolean(), false),
  /** Violations in the answer; all are counted. @default 1,000 */
  listed: z.optional(z.number().check(z.int(), z.nonnegative(), z.lte(VIOLATIONS_LISTED_MAX))),
  /** Unresolved events younger than this are on their way. */
  lagBoundMs: z.optional(count),
};

const AT_ONCE = z.strictObject({
  ...SCOPE,
  streamIds: z.optional(z.array(name).check(z.minLength(1), z.maxLength(STREAMS_MAX))),
});

/** A part of the files' keys. */
const run = z.string().check(z.regex(/^[0-9a-zA-Z-]{1,64}$/));

const STEP = z.discriminatedUnion('step', [
  z.strictObject({ step: z.literal('split'), ...SCOPE }),
  z.strictObject({ step: z.literal('batch'), run, batch: count }),
  z.strictObject({ step: z.literal('add-up'), run }),
]);

type AtOnce = z.infer<typeof AT_ONCE> & { step?: undefined };

/** @throws InvalidInputError `INVALID_INPUT` */
export function checkVerifyRequest(raw: unknown): AtOnce | z.infer<typeof STEP> {
  const isStep = typeof raw === 'object' && raw !== null && 'step' in raw;
  return isStep ? checkInput(STEP, raw, 'verify request') : checkInput(AT_ONCE, raw ?? {}, 'verify request');
}
