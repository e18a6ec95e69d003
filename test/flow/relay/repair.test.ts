// Batches that the event source mapping gave up on, as Lambda leaves them in S3.

import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { parseFailedBatch } from '../../../lib/flow/relay/failed-batch.ts';
import { createFailedBatches, FAILED_BATCH_MAX_BYTES } from '../../../lib/flow/relay/failed-batches.ts';
import { failedBatchObject, type RepairDependencies, repairFailedBatch } from '../../../lib/flow/relay/repair.ts';
import { ones, openRelay, stream } from './support.ts';

const KEY = 'aws/lambda/0b1c/shardId-1/2026/01/01/2026-01-01T00.00.00-abc';
const object = { bucket: 'failures', key: KEY };
const time = { remainingMs: () => 300_000 };

/** The documented shape: Lambda Developer Guide, "Retain discarded records for a DynamoDB event source". */
const metadata = (batchSize: number) => ({
  requestContext: {
    requestId: '316aa6d0-8154-xmpl-9af7-85d5f4a6bc81',
    functionArn: 'arn:aws:lambda:us-east-2:123456789012:function:relay-commits',
    condition: 'RetryAttemptsExhausted',
    approximateInvokeCount: 21,
  },
  responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
  version: '1.0',
  timestamp: '2026-01-01T00:13:49.717Z',
  DDBStreamBatchInfo: {
    shardId: 'shardId-00000001573689847184-864758bb',
    startSequenceNumber: '800000000003126276362',
    endSequenceNumber: '800000000003126276399',
    approximateArrivalOfFirstRecord: '2026-01-01T00:13:19Z',
    approximateArrivalOfLastRecord: '2026-01-01T00:13:19Z',
    batchSize,
    streamArn: 'arn:aws:dynamodb:us-east-2:123456789012:table/Events/stream/2026-01-01T00:04:06.388',
  },
});

async function open(text: (records: unknown[]) => string) {
  const relay = await openRelay();
  await relay.store([...stream('a', ones(3)), ...stream('b', [1])]);
  const records: unknown[] = await relay.records();
  const deps: RepairDependencies = {
    relay: relay.relay,
    failedBatches: { read: async () => text(records) },
    incidents: relay.dependencies.incidents,
    clock: relay.world.clock,
    logger: relay.logger,
  };
  return { relay, records, deps };
}

describe('a failed batch with its records', () => {
  it.each([
    ['as an object', (payload: unknown) => payload],
    ['as text', (payload: unknown) => JSON.stringify(payload)],
  ])('%s is relayed', async (_, payload) => {
    const { relay, deps } = await open((Records) => JSON.stringify({ ...metadata(4), payload: payload({ Records }) }));
    expect(await repairFailedBatch(deps, object, time)).toEqual({
      key: KEY,
      records: 4,
      commits: 4,
      malformed: 0,
      scrubNeeded: false,
    });
    expect(relay.events()).toHaveLength(4);
    expect(await relay.incidents()).toEqual([]);
  });

  it('is repaired although later batches have gone on meanwhile, and again without a second position', async () => {
    const { relay, deps, records } = await open((Records) =>
      JSON.stringify({ ...metadata(1), payload: { Records: Records.slice(0, 1) } }),
    );
    await relay.batch(records.slice(2));
    const entries = await relay.entries();
    await repairFailedBatch(deps, object, time);
    await repairFailedBatch(deps, object, time);
    expect(await relay.entries()).toEqual(entries);
    expect(relay.moved()).toContainEqual(expect.objectContaining({ streamId: 'a', version: 3 }));
  });

  it('with fewer records than the metadata say asks for a scrub as well', async () => {
    const { relay, deps } = await open((Records) => JSON.stringify({ ...metadata(6), payload: { Records } }));
    expect(await repairFailedBatch(deps, object, time)).toMatchObject({ commits: 4, scrubNeeded: true });
    expect(await relay.incidents()).toMatchObject([{ kind: 'stream-trimmed', streamId: '$all', version: 0 }]);
  });

  it('with a malformed record is done: that record is an incident, and another try reads the same', async () => {
    const { relay, deps } = await open((Records) =>
      JSON.stringify({ ...metadata(5), payload: { Records: [...Records, { dynamodb: {} }] } }),
    );
    expect(await repairFailedBatch(deps, object, time)).toMatchObject({ records: 5, commits: 4, malformed: 1 });
    expect(await relay.incidents()).toMatchObject([{ kind: 'malformed-record' }]);
  });

  it('that cannot be relayed now fails, so that it is tried again', async () => {
    const { relay, deps } = await open((Records) => JSON.stringify({ ...metadata(4), payload: { Records } }));
    relay.bus.refuse = () => true;
    await expect(repairFailedBatch(deps, object, time)).rejects.toMatchObject({
      code: 'REPAIR_INCOMPLETE',
      retryable: true,
      message: expect.stringContaining(KEY),
    });
  });
});

describe('a failed batch without its records (failure 3)', () => {
  it.each([
    ['metadata alone', JSON.stringify(metadata(4)), 'no payload'],
    ['no JSON', 'oops', 'not the record of a failed batch'],
    ['something else', '{"a":1}', 'not the record of a failed batch'],
    ['null', 'null', 'not the record of a failed batch'],
  ])('%s asks for a full scrub and succeeds', async (_, text, why) => {
    const { relay, deps } = await open(() => text);
    expect(await repairFailedBatch(deps, object, time)).toMatchObject({ commits: 0, scrubNeeded: true });
    expect(await relay.incidents()).toEqual([
      expect.objectContaining({
        kind: 'stream-trimmed',
        streamId: '$all',
        foundBy: 'repair-relay',
        detail: expect.stringContaining(why),
      }),
    ]);
  });

  it('says where in the DynamoDB stream it was', () => {
    expect(parseFailedBatch(JSON.stringify(metadata(4)))?.origin).toBe(
      'condition RetryAttemptsExhausted, shard shardId-00000001573689847184-864758bb, from 800000000003126276362, to 800000000003126276399, records 4',
    );
  });
});

describe('the object that an invocation is about', () => {
  it('is named by S3 through EventBridge, or by hand', () => {
    const created = {
      source: 'aws.s3',
      'detail-type': 'Object Created',
      detail: { version: '0', bucket: { name: 'failures' }, object: { key: KEY, size: 5 }, reason: 'PutObject' },
    };
    expect(failedBatchObject(created, 'failures')).toEqual(object);
    expect(failedBatchObject(object, 'failures')).toEqual(object);
  });

  it.each([
    [undefined],
    [{}],
    [{ bucket: 'failures' }],
    [{ bucket: 'failures', key: '' }],
    [{ bucket: 'other', key: KEY }],
  ])('is refused when it is %j', (event) => {
    expect(() => failedBatchObject(event, 'failures')).toThrow(expect.objectContaining({ code: 'UNKNOWN_TRIGGER' }));
  });
});

describe('reading from S3', () => {
  const s3 = mockClient(S3Client);
  beforeEach(() => {
    s3.reset();
  });
  const body = (text: string) => ({ transformToString: async () => text }) as never;

  it('gives the text of the object', async () => {
    s3.on(GetObjectCommand, { Bucket: 'failures', Key: KEY }).resolves({ Body: body('{"a":"é"}'), ContentLength: 10 });
    expect(await createFailedBatches(new S3Client({})).read(object)).toBe('{"a":"é"}');
  });

  it('refuses what cannot be a batch', async () => {
    s3.on(GetObjectCommand).resolves({ Body: body('x'), ContentLength: FAILED_BATCH_MAX_BYTES + 1 });
    await expect(createFailedBatches(new S3Client({})).read(object)).rejects.toMatchObject({
      code: 'FAILED_BATCH_TOO_LARGE',
    });
  });

  it('passes on that the object cannot be read, so that it is tried again', async () => {
    s3.on(GetObjectCommand).rejects(Object.assign(new Error('gone'), { name: 'NoSuchKey' }));
    await expect(createFailedBatches(new S3Client({})).read(object)).rejects.toMatchObject({ name: 'NoSuchKey' });
  });
});
