// Reads what Lambda wrote when the event source mapping gave up on a batch. Pure. To S3 it writes metadata AND the whole
// event; to SQS and SNS the metadata alone (Lambda Developer Guide, "Retain discarded records for a DynamoDB event source"):
// { requestContext: { condition: 'RetryAttemptsExhausted', ... }, DDBStreamBatchInfo: { shardId, startSequenceNumber,
//   endSequenceNumber, batchSize, streamArn, ... }, payload: '<Whole Event>' }, under the key
// aws/lambda/<mapping id>/<shard id>/YYYY/MM/DD/<time>-<random>.

export interface FailedBatch {
  /** The records that are there; empty when only metadata were written. */
  records: readonly unknown[];
  /** Why records are missing, in words; absent when all of them are there. */
  missing?: string;
  /** Where the batch was in the DynamoDB stream: for people, nothing depends on it. */
  origin: string;
}

/** @returns undefined when the text is not the record of a failed batch at all */
export function parseFailedBatch(text: string): FailedBatch | undefined {
  const body = objectOf(parsed(text));
  if (body === undefined) return undefined;
  // The documentation shows the payload as text in one place and calls it the invocation record in another: both are read.
  const payload = typeof body.payload === 'string' ? parsed(body.payload) : body.payload;
  const records = objectOf(payload)?.Records;
  const info = objectOf(body.DDBStreamBatchInfo);
  if (!Array.isArray(records) && info === undefined) return undefined;
  const origin = originOf(body, info);
  if (!Array.isArray(records)) return { records: [], origin, missing: `the record has no payload (${origin})` };
  const batchSize = info?.batchSize;
  const isShort = typeof batchSize === 'number' && records.length < batchSize;
  return {
    records,
    origin,
    ...(isShort ? { missing: `the payload has ${records.length} of ${batchSize} records (${origin})` } : {}),
  };
}

function originOf(body: Record<string, unknown>, info: Record<string, unknown> = {}): string {
  const condition = objectOf(body.requestContext)?.condition;
  const facts = {
    condition,
    shard: info.shardId,
    from: info.startSequenceNumber,
    to: info.endSequenceNumber,
    records: info.batchSize,
  };
  const known = Object.entries(facts).filter(([, value]) => value !== undefined && value !== null);
  return known.map(([name, value]) => `${name} ${String(value)}`).join(', ') || 'no metadata';
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const objectOf = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
