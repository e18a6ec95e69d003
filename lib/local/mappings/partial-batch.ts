// How Lambda reads a function's answer when ReportBatchItemFailures is on. Pure. The traps are AWS's own: null and `{}`
// mean that everything succeeded, and for SQS one unknown id means that everything failed.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html

export type BatchResult =
  | { kind: 'succeeded' }
  | { kind: 'failed'; reason: string }
  /** Only these ids failed. */
  | { kind: 'partly-failed'; ids: ReadonlySet<string> };

/** `payload` is the function's answer as JSON text, `ids` what the batch held (message ids or sequence numbers). */
export function batchResult(payload: string, ids: ReadonlySet<string>): BatchResult {
  let answer: unknown;
  try {
    answer = JSON.parse(payload);
  } catch {
    return failed('the answer is not JSON');
  }
  if (answer === null) return { kind: 'succeeded' };
  if (typeof answer !== 'object' || Array.isArray(answer)) return failed('the answer is not an object');
  const failures = (answer as { batchItemFailures?: unknown }).batchItemFailures ?? [];
  if (!Array.isArray(failures)) return failed('batchItemFailures is not a list');
  const failedIds = new Set<string>();
  for (const failure of failures) {
    const id = (failure as { itemIdentifier?: unknown } | null)?.itemIdentifier;
    if (typeof id !== 'string' || id === '') return failed('an itemIdentifier is missing, null or empty');
    if (!ids.has(id)) return failed(`itemIdentifier ${id} is not in the batch`);
    failedIds.add(id);
  }
  return failedIds.size === 0 ? { kind: 'succeeded' } : { kind: 'partly-failed', ids: failedIds };
}

const failed = (reason: string): BatchResult => ({ kind: 'failed', reason });
