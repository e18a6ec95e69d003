import { describe, expect, it } from '@jest/globals';
import { type FailureFacts, failureKey, failureRecord } from '../../../lib/local/mappings/failure-record.ts';

const record = (number: string, at: number) => ({
  eventName: 'INSERT',
  dynamodb: { SequenceNumber: number, ApproximateCreationDateTime: at },
});
const facts: FailureFacts = {
  functionArn: 'arn:aws:lambda:us-east-1:0:function:relay',
  streamArn: 'arn:aws:dynamodb:us-east-1:0:table/t/stream/s',
  shardId: 'shard-1',
  records: [record('100', 1_796_000_000), record('101', 1_796_000_060)],
  invocations: 3,
  condition: 'RetryAttemptsExhausted',
  requestId: 'request',
  at: new Date('2026-11-24T10:11:12.345Z'),
  withPayload: true,
};

describe('the record of a batch that was given up', () => {
  it('tells where the records lie and carries them for a bucket', () => {
    const written = failureRecord(facts) as { payload: string };
    expect(written).toMatchObject({
      requestContext: { condition: 'RetryAttemptsExhausted', approximateInvokeCount: 3 },
      timestamp: '2026-11-24T10:11:12.345Z',
      DDBStreamBatchInfo: { shardId: 'shard-1', startSequenceNumber: '100', endSequenceNumber: '101', batchSize: 2 },
    });
    expect(JSON.parse(written.payload)).toEqual({ Records: facts.records });
  });

  it('carries no records for a queue or a topic', () => {
    expect(failureRecord({ ...facts, withPayload: false })).not.toHaveProperty('payload');
  });

  it('has no response when the function was never asked', () => {
    expect(failureRecord({ ...facts, invocations: 0, condition: 'RecordAgeExceeded' })).not.toHaveProperty(
      'responseContext',
    );
  });

  it('lies under the key that Lambda would choose', () => {
    expect(failureKey('mapping', 'shard-1', facts.at, 'id')).toBe(
      'aws/lambda/mapping/shard-1/2026/11/24/2026-11-24T10.11.12-id',
    );
  });
});
