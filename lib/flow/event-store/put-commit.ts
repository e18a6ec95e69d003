// The one write of the event store, tried again when its answer is lost or refused for a moment. The item stays the same,
// byte for byte, through all tries, so that whichever of them arrives first decides.

import type { StoredCommit } from '../../model/commit.ts';
import { InvalidInputError } from '../../model/errors.ts';
import type { World } from '../../platform/clock.ts';
import { retry } from '../../platform/retry.ts';
import type { CommitTable, PutAnswer } from './commit-table.ts';
import { isFinal, outcomeUnknown, refused, retryOptions } from './failures.ts';
import { COMMIT_MAX_BYTES } from './limits.ts';

/**
 * @throws EventRecoveryError `APPEND_OUTCOME_UNKNOWN` (retryable) when the last answers were lost, `STORE_REFUSED`
 * @throws the signal's reason when it aborted before anything was sent
 */
export async function putCommit(
  table: Pick<CommitTable, 'putNew'>,
  commit: StoredCommit,
  world: Pick<World, 'timers' | 'random'>,
  signal?: AbortSignal,
): Promise<PutAnswer> {
  let unanswered = 0;
  const put = async (): Promise<PutAnswer> => {
    try {
      return await table.putNew(commit);
    } catch (error) {
      if (!isFinal(error)) unanswered += 1;
      throw error;
    }
  };
  try {
    return await retry(put, retryOptions(world, signal));
  } catch (error) {
    // A throttled answer counts as lost too: the SDK may have sent the request more than once.
    if (unanswered > 0) throw outcomeUnknown(error, commit.streamId, commit.version);
    if (signal?.aborted && error === signal.reason) throw error;
    throw isTooLarge(error) ? tooLarge(commit) : refused(error, `stream "${commit.streamId}": append`);
  }
}

/** DynamoDB's own count of an item's size is documented as approximate; where it differs from ours, it decides. */
const isTooLarge = (error: unknown): boolean => {
  const { name, message = '' } = (error ?? {}) as { name?: string; message?: string };
  return name === 'ValidationException' && /item size/i.test(message);
};

const tooLarge = ({ streamId, count }: StoredCommit): InvalidInputError =>
  new InvalidInputError('COMMIT_TOO_LARGE', {
    what: `size of the commit of stream "${streamId}"`,
    got: `${count} events that DynamoDB counts as too large`,
    allowed: `at most ${COMMIT_MAX_BYTES} bytes as it is stored (a DynamoDB item has at most 400 KB)`,
    remedy: 'append fewer events at once, or store the large part in S3 and put its key into the event',
  });
