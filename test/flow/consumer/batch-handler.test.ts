// What a consumer function answers to SQS: exactly the messages that must come back, whatever happens inside.

import { describe, expect, it } from '@jest/globals';
import { createBatchHandler } from '../../../lib/flow/consumer/batch-handler.ts';
import type { ConsumerEngine } from '../../../lib/flow/consumer/engine-port.ts';
import type { ParsedMessage } from '../../../lib/flow/consumer/messages.ts';
import { recordingLogger } from '../../../lib/platform/logging.ts';
import { recordingMetrics } from '../../../lib/platform/metrics.ts';
import { envelope, eventDetail, sqsRecord, wakeUp } from './message-samples.ts';

const invocation = { remainingMs: () => 10_000, requestId: 'r-1' };

function handlerOver(handleBatch: ConsumerEngine['handleBatch'], { drill = false } = {}) {
  const logger = recordingLogger();
  const metrics = recordingMetrics();
  const given: ParsedMessage[][] = [];
  const engine: ConsumerEngine = {
    handleBatch: (messages, context) => {
      given.push([...messages]);
      return handleBatch(messages, context);
    },
  };
  const handle = createBatchHandler({ declaration: { name: 'inventory', drill }, engine, logger, metrics });
  return { handle, logger, metrics, given };
}

const allDone = async () => ({ failedMessageIds: [] });
const failuresOf = ({ batchItemFailures }: { batchItemFailures: { itemIdentifier: string }[] }) =>
  batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);

const twoGoodOneBad = {
  Records: [
    sqsRecord(envelope(eventDetail()), 'm-1'),
    sqsRecord('{"kind":', 'm-2'),
    sqsRecord(wakeUp({ streamId: 'order-2', correlationId: 'c-3' }), 'm-3'),
  ],
};

describe('a batch', () => {
  it('that is done leaves an empty list, never an empty answer', async () => {
    const { handle } = handlerOver(allDone);
    expect(await handle({ Records: [sqsRecord(wakeUp())] }, invocation)).toEqual({ batchItemFailures: [] });
    expect(await handle({ Records: [] }, invocation)).toEqual({ batchItemFailures: [] });
  });

  it('with a malformed record fails that record only; the others reach the engine', async () => {
    const { handle, given, logger, metrics } = handlerOver(allDone);
    expect(failuresOf(await handle(twoGoodOneBad, invocation))).toEqual(['m-2']);
    expect(given[0]?.map(({ messageId }) => messageId)).toEqual(['m-1', 'm-3']);
    expect(logger.lines).toMatchObject([
      { level: 'error', facts: { messageId: 'm-2', code: 'MALFORMED_MESSAGE', consumer: 'inventory' } },
    ]);
    expect(metrics.values).toEqual([
      { name: 'MessagesRefused', value: 1, unit: 'Count', dimensions: { consumer: 'inventory' } },
    ]);
  });

  it('names what the engine gives back, once each', async () => {
    const { handle } = handlerOver(async () => ({ failedMessageIds: ['m-3', 'm-3'] }));
    expect(failuresOf(await handle(twoGoodOneBad, invocation))).toEqual(['m-3', 'm-2']);
  });

  it('comes back as a whole, without a throw, when the engine fails', async () => {
    const { handle, logger, metrics } = handlerOver(() => Promise.reject(new Error('no table')));
    expect(failuresOf(await handle(twoGoodOneBad, invocation)).sort()).toEqual(['m-1', 'm-2', 'm-3']);
    expect(metrics.total('BatchesFailed')).toBe(1);
    const lines = logger.lines.filter(({ facts }) => facts.code === 'BATCH_FAILED');
    expect(lines.map(({ facts }) => facts.correlationId)).toEqual(['checkout-42', 'c-3']);
  });

  it('comes back as a whole when the engine throws at once', async () => {
    const { handle } = handlerOver(() => {
      throw new Error('a bug');
    });
    expect(failuresOf(await handle(twoGoodOneBad, invocation)).sort()).toEqual(['m-1', 'm-2', 'm-3']);
  });

  it.each<[string, unknown]>([
    ['an id that is not of this batch', { failedMessageIds: ['m-1', 'm-99'] }],
    ['the id of a message that it was not given', { failedMessageIds: ['m-2'] }],
    ['an empty object', {}],
    ['null', null],
    ['nothing', undefined],
  ])('comes back as a whole when the engine answers with %s', async (_what, result) => {
    const { handle } = handlerOver(async () => result as { failedMessageIds: string[] });
    expect(failuresOf(await handle(twoGoodOneBad, invocation)).sort()).toEqual(['m-1', 'm-2', 'm-3']);
  });

  it('acknowledges and counts rehearsal streams without showing them to the engine', async () => {
    const { handle, given, metrics } = handlerOver(allDone);
    const records = [sqsRecord(wakeUp({ streamId: 'drill-1' }), 'm-1')];
    expect(await handle({ Records: records }, invocation)).toEqual({ batchItemFailures: [] });
    expect(given).toEqual([]);
    expect(metrics.total('MessagesIgnored')).toBe(1);
  });

  it('lets messages of a newer format come back', async () => {
    const { handle, logger } = handlerOver(allDone);
    const records = [sqsRecord(wakeUp({ format: 2 }), 'm-1')];
    expect(failuresOf(await handle({ Records: records }, invocation))).toEqual(['m-1']);
    expect(logger.lines).toMatchObject([{ facts: { code: 'NEWER_FORMAT', error: { retryable: true } } }]);
  });

  it.each<[string, unknown]>([
    ['no records', {}],
    ['records that are no list', { Records: 'all' }],
    ['a record without an id', { Records: [{ body: '{}' }] }],
    ['a record with an empty id', { Records: [{ ...sqsRecord(wakeUp()), messageId: '' }] }],
    ['a record that is null', { Records: [sqsRecord(wakeUp()), null] }],
    ['nothing at all', undefined],
  ])('with %s fails as a whole: there is nothing to name', async (_what, event) => {
    const { handle, given } = handlerOver(allDone);
    await expect(handle(event, invocation)).rejects.toMatchObject({ code: 'MALFORMED_BATCH' });
    expect(given).toEqual([]);
  });
});
