// Input of operations (console, CLI, state machine) against a schema: everything wrong becomes one InvalidInputError that
// names the field, what was given and what is allowed. Unknown fields are refused: a typing error must not be ignored.

import type { z } from 'zod/mini';
import { InvalidInputError, shown } from '../../model/errors.ts';
import { allowedBy } from './allowed.ts';

/** Deeper or larger input is refused before a schema looks at it. */
const INPUT_MAX_BYTES = 256 * 1_024;

/** @throws InvalidInputError `INVALID_INPUT` */
export function checkInput<Schema extends z.ZodMiniType>(schema: Schema, raw: unknown, what: string): z.infer<Schema> {
  const size = sizeOf(raw);
  if (size === undefined || size > INPUT_MAX_BYTES) {
    throw new InvalidInputError('INVALID_INPUT', {
      what,
      got: size === undefined ? 'a value that is not JSON' : `${size} bytes`,
      allowed: `JSON of at most ${INPUT_MAX_BYTES} bytes`,
      remedy: 'pass a smaller selection, or a prefix instead of a list',
    });
  }
  const result = schema.safeParse(raw);
  if (result.success) return result.data as z.infer<Schema>;
  const issue = result.error.issues[0];
  const path = issue?.path.map(String).join('.') ?? '';
  throw new InvalidInputError('INVALID_INPUT', {
    what: path === '' ? what : `${what}: ${path}`,
    got: shown(valueAt(raw, issue?.path ?? [])),
    allowed: issue === undefined ? 'see the documentation' : allowedBy(issue),
    remedy: 'see docs/operations for an example of every operation',
  });
}

function sizeOf(raw: unknown): number | undefined {
  try {
    return Buffer.byteLength(JSON.stringify(raw ?? null));
  } catch {
    return undefined;
  }
}

const valueAt = (raw: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? (value as Record<PropertyKey, unknown>)[key]
        : undefined,
    raw,
  );
