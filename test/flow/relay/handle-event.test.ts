import { describe, expect, it } from '@jest/globals';
import { batchResponse, handleRelayEvent } from '../../../lib/flow/relay/handle-event.ts';
import type { BatchReport, RecordFailure } from '../../../lib/flow/relay/relay-batch.ts';
import { ones, openRelay, stream } from './support.ts';

const invocation = { getRemainingTimeInMillis: () => 60_000 };
const report = (failures: RecordFailure[]): BatchReport => ({
  commits: 0,
  events: 0,
  backfilled: 0,
  continued: [],
  damaged: [],
  failures,
});
const failure = (index: number, sequenceNumber?: string): RecordFailure => ({
  index,
  reason: 'error',
  code: 'X',
  message: 'x',
  ...(sequenceNumber === undefined ? {} : { sequenceNumber }),
});

describe('the answer to a batch', () => {
  it('is an explicit empty list when nothing failed', () => {
    expect(batchResponse(report([]))).toEqual({ batchItemFailures: [] });
  });

  it('names the failed records by their sequence numbers, the first of the batch first', () => {
    expect(batchResponse(report([failure(1, '101'), failure(4, '104')]))).toEqual({
      batchItemFailures: [{ itemIdentifier: '101' }, { itemIdentifier: '104' }],
    });
  });

  it('is an error when a failed record has no number: it must not look like a success (failures 5 and 6)', () => {
    expect(() => batchResponse(report([failure(0)]))).toThrow(
      expect.objectContaining({ code: 'BATCH_FAILED', retryable: true }),
    );
  });
});

describe('an event of the relay function', () => {
  it('with records is a batch', async () => {
    const opened = await openRelay();
    await opened.store(stream('a', [1]));
    const Records: unknown[] = await opened.records();
    expect(await handleRelayEvent(opened.relay, { Records }, invocation)).toEqual({ batchItemFailures: [] });
    expect(await opened.sequenced('a')).toBe(1);
  });

  it('fails as a whole when a record has lost everything, after the others were relayed', async () => {
    const opened = await openRelay();
    await opened.store(stream('a', [1]));
    const Records = [...(await opened.records()), null];
    await expect(handleRelayEvent(opened.relay, { Records }, invocation)).rejects.toMatchObject({
      code: 'BATCH_FAILED',
    });
    expect(await opened.sequenced('a')).toBe(1);
  });

  it('from the bus goes on with a backfill', async () => {
    const opened = await openRelay();
    await opened.store(stream('a', ones(3)));
    const detail = { format: 1, streamId: 'a', target: 3, hops: 0 };
    const event = { source: 'event-recovery', 'detail-type': '$RelayBackfill', detail };
    expect(await handleRelayEvent(opened.relay, event, invocation)).toMatchObject({ outcome: 'reached', version: 3 });
  });

  it.each([
    ['hops', { format: 1, streamId: 'a', target: 3, hops: -1 }, 'INVALID_WAKE_UP'],
    ['a format', { streamId: 'a', target: 3, hops: 0 }, 'INVALID_FORMAT'],
    ['a stream', { format: 1, streamId: '', target: 3, hops: 0 }, 'INVALID_STREAM_ID'],
    ['a target', { format: 1, streamId: 'a', hops: 0 }, 'INVALID_VERSION'],
    ['anything', undefined, 'INVALID_FORMAT'],
  ])('from the bus without %s is refused', async (_, detail, code) => {
    const opened = await openRelay();
    const event = { 'detail-type': '$RelayBackfill', detail };
    await expect(handleRelayEvent(opened.relay, event, invocation)).rejects.toMatchObject({ code });
  });

  it.each([[{}], [null], [undefined], ['text'], [{ Records: 'x' }], [{ 'detail-type': 'Other', detail: {} }]])(
    'that is something else (%j) is refused, never answered',
    async (event) => {
      const opened = await openRelay();
      await expect(handleRelayEvent(opened.relay, event, invocation)).rejects.toMatchObject({
        code: 'UNKNOWN_TRIGGER',
      });
    },
  );
});
