// What can be asked of the verification.

import * as z from 'zod/mini';
import { checkInput } from '../../lib/recovery/input/check.ts';
import { VIOLATIONS_LISTED_MAX } from '../../lib/recovery/verify/types.ts';

/** A batch of a large verification; everything at once is asked for by leaving the list out. */
const STREAMS_MAX = 5_000;
const name = z.string().check(z.minLength(1), z.maxLength(256));

const REQUEST = z.strictObject({
  consumers: z.optional(z.array(name).check(z.minLength(1), z.maxLength(1_000))),
  streamIds: z.optional(z.array(name).check(z.minLength(1), z.maxLength(STREAMS_MAX))),
  streamPrefix: z.optional(name),
  /** Also refuse events that are on their way. */
  quiet: z._default(z.boolean(), false),
  /** Violations in the answer; all are counted. @default 1,000 */
  listed: z.optional(z.number().check(z.int(), z.nonnegative(), z.lte(VIOLATIONS_LISTED_MAX))),
  /** Unresolved events younger than this are on their way. */
  lagBoundMs: z.optional(z.number().check(z.int(), z.nonnegative())),
});

/** @throws InvalidInputError `INVALID_INPUT` */
export const checkVerifyRequest = (raw: unknown) => checkInput(REQUEST, raw ?? {}, 'verify request');
