// Formats: everything stored or sent carries the version of its layout. Version N reads N-1. A newer one than this code
// knows means that this code is being rolled back: it must leave the item alone and fail in a way that is tried again.

import { EventRecoveryError, InvalidInputError } from './errors.ts';

/**
 * The format, when this code can read it.
 * @throws InvalidInputError `INVALID_FORMAT` when it is no format at all (permanent)
 * @throws EventRecoveryError `NEWER_FORMAT`, retryable, when newer code wrote it: deploy that code again
 * @example const format = readableFormat('checkpoint', item.format, CHECKPOINT_FORMAT);
 */
export function readableFormat(what: string, got: unknown, newest: number): number {
  const oldest = Math.max(1, newest - 1);
  const allowed = `a whole number from ${oldest} to ${newest}`;
  if (!Number.isSafeInteger(got) || (got as number) < oldest) {
    throw new InvalidInputError('INVALID_FORMAT', {
      what: `format of a ${what}`,
      got,
      allowed,
      remedy:
        'it was not written by this project, or by a version that is too old: migrate it with the version between',
    });
  }
  if ((got as number) > newest) {
    throw new EventRecoveryError(
      'NEWER_FORMAT',
      `format of a ${what}: got ${got}; allowed: ${allowed}; remedy: deploy the newer version again, or wait until the rollback is over`,
      { retryable: true, facts: { what, got, newest } },
    );
  }
  return got as number;
}
