// The document that Lambda sends to an on-failure destination when it gives up on stream records. A bucket gets the
// records themselves in `payload`; queue and topic get shard and sequence numbers only. Pure.
// https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html#dynamodb-on-failure-destination-example-s3

export interface StreamRecord {
  eventID?: string;
  eventName?: string;
  eventSourceARN?: string;
  dynamodb?: { SequenceNumber?: string; ApproximateCreationDateTime?: number; Keys?: unknown };
}

export interface FailureFacts {
  functionArn: string;
  streamArn: string;
  shardId: string;
  records: readonly StreamRecord[];
  invocations: number;
  condition: 'RetryAttemptsExhausted' | 'RecordAgeExceeded';
  requestId: string;
  at: Date;
  /** True for buckets. */
  withPayload: boolean;
}

export function failureRecord(facts: FailureFacts): object {
  const first = facts.records[0]?.dynamodb;
  const last = facts.records.at(-1)?.dynamodb;
  return {
    requestContext: {
      requestId: facts.requestId,
      functionArn: facts.functionArn,
      condition: facts.condition,
      approximateInvokeCount: facts.invocations,
    },
    ...(facts.invocations === 0
      ? {}
      : { responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' } }),
    version: '1.0',
    timestamp: facts.at.toISOString(),
    DDBStreamBatchInfo: {
      shardId: facts.shardId,
      startSequenceNumber: first?.SequenceNumber,
      endSequenceNumber: last?.SequenceNumber,
      approximateArrivalOfFirstRecord: seconds(first?.ApproximateCreationDateTime),
      approximateArrivalOfLastRecord: seconds(last?.ApproximateCreationDateTime),
      batchSize: facts.records.length,
      streamArn: facts.streamArn,
    },
    ...(facts.withPayload ? { payload: JSON.stringify({ Records: facts.records }) } : {}),
  };
}

/** `aws/lambda/<mapping>/<shard>/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-<uuid>` */
export function failureKey(mappingId: string, shardId: string, at: Date, id: string): string {
  const day = at.toISOString().slice(0, 10).replaceAll('-', '/');
  const second = at.toISOString().slice(0, 19).replaceAll(':', '.');
  return `aws/lambda/${mappingId}/${shardId}/${day}/${second}-${id}`;
}

const seconds = (value: number | undefined): string | undefined =>
  value === undefined ? undefined : `${new Date(value * 1_000).toISOString().slice(0, 19)}Z`;
