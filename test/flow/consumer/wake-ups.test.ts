// Sending wake-ups against an SQS that refuses, loses and fails.

import { SendMessageBatchCommand, type SendMessageBatchRequestEntry, SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { createWakeUps } from '../../../lib/flow/consumer/wake-ups.ts';
import type { EventRecoveryError } from '../../../lib/model/errors.ts';
import type { QueueMessage } from '../../../lib/model/wake-up.ts';

const QUEUE_URL = 'https://sqs.eu-central-1.amazonaws.com/1/inventory';
const sqs = mockClient(SQSClient);
afterEach(() => {
  sqs.reset();
});

const wakeUp = (streamId: string): QueueMessage => ({
  format: 1,
  kind: 'wake-up',
  consumer: 'inventory',
  streamId,
  version: 3,
  hops: 0,
  reason: 'continue',
});

/** A sender whose pauses are recorded instead of waited for. */
function sender(random = 1) {
  const pausesMs: number[] = [];
  const world = {
    timers: { sleep: async (ms: number) => void pausesMs.push(ms) },
    random: { next: () => random },
  };
  return { wakeUps: createWakeUps({ sqs: new SQSClient({ region: 'eu-central-1' }), world }), pausesMs };
}

const requests = (): SendMessageBatchRequestEntry[][] =>
  sqs.commandCalls(SendMessageBatchCommand).map((call) => call.args[0].input.Entries ?? []);
const streamOf = ({ MessageBody }: SendMessageBatchRequestEntry): string => JSON.parse(MessageBody as string).streamId;

/** Accepts everything that `refuses` does not name. */
const answering = (refuses: (streamId: string) => { Code: string; SenderFault: boolean } | undefined) =>
  sqs.on(SendMessageBatchCommand).callsFake(async ({ Entries }: { Entries: SendMessageBatchRequestEntry[] }) => {
    const refused = Entries.flatMap((entry) => {
      const reason = refuses(streamOf(entry));
      return reason ? [{ Id: entry.Id, ...reason }] : [];
    });
    const ids = new Set(refused.map(({ Id }) => Id));
    return {
      Successful: Entries.filter(({ Id }) => !ids.has(Id)).map(({ Id }) => ({ Id, MessageId: `m${Id}` })),
      Failed: refused,
    };
  });

const codeOf = (promise: Promise<void>): Promise<EventRecoveryError> =>
  promise.then(
    () => Promise.reject(new Error('it was sent')),
    (error: EventRecoveryError) => error,
  );

describe('sending wake-ups', () => {
  it('sends ten a request, in order, with body and delay', async () => {
    answering(() => undefined);
    const messages = Array.from({ length: 23 }, (_, i) => ({ message: wakeUp(`s-${i}`), delaySeconds: i }));
    await sender().wakeUps.send(QUEUE_URL, messages);
    expect(requests().map((entries) => entries.length)).toEqual([10, 10, 3]);
    expect(requests().flat().map(streamOf)).toEqual(messages.map(({ message }) => message.streamId));
    expect(
      requests()
        .flat()
        .map((entry) => entry.DelaySeconds),
    ).toEqual(messages.map((m) => m.delaySeconds));
  });

  it('sends nothing for no messages', async () => {
    await sender().wakeUps.send(QUEUE_URL, []);
    expect(requests()).toEqual([]);
  });

  it('keeps a request below SQS’s limit of bytes', async () => {
    answering(() => undefined);
    const big = (name: string): QueueMessage =>
      ({ ...wakeUp(name), correlationId: 'é'.repeat(200_000) }) as QueueMessage;
    await sender().wakeUps.send(
      QUEUE_URL,
      ['a', 'b', 'c'].map((name) => ({ message: big(name) })),
    );
    expect(requests().map((entries) => entries.length)).toEqual([2, 1]);
  });

  it('sends only what was refused again, after growing pauses', async () => {
    let refusals = 3;
    answering((id) => (id === 's-1' && refusals-- > 0 ? { Code: 'InternalError', SenderFault: false } : undefined));
    const { wakeUps, pausesMs } = sender();
    await wakeUps.send(
      QUEUE_URL,
      ['s-0', 's-1', 's-2'].map((id) => ({ message: wakeUp(id) })),
    );
    expect(requests().map((entries) => entries.map(streamOf))).toEqual([
      ['s-0', 's-1', 's-2'],
      ['s-1'],
      ['s-1'],
      ['s-1'],
    ]);
    expect(pausesMs).toEqual([100, 200, 400]);
  });

  it('spreads its pauses at random, from nothing up to the limit', async () => {
    let refusals = 2;
    answering(() => (refusals-- > 0 ? { Code: 'InternalError', SenderFault: false } : undefined));
    const { wakeUps, pausesMs } = sender(0.25);
    await wakeUps.send(QUEUE_URL, [{ message: wakeUp('s') }]);
    expect(pausesMs).toEqual([25, 50]);
  });

  it('gives up after five tries and says that trying again is harmless', async () => {
    answering((id) => (id === 's-1' ? { Code: 'InternalError', SenderFault: false } : undefined));
    const error = await codeOf(
      sender().wakeUps.send(
        QUEUE_URL,
        ['s-0', 's-1'].map((id) => ({ message: wakeUp(id) })),
      ),
    );
    expect(error).toMatchObject({
      code: 'WAKE_UP_NOT_SENT',
      retryable: true,
      facts: { refused: 1, code: 'InternalError' },
    });
    expect(requests()).toHaveLength(5);
  });

  it('does not repeat what SQS calls the sender’s fault, and sends the others', async () => {
    answering((id) => (id === 's-1' ? { Code: 'InvalidMessageContents', SenderFault: true } : undefined));
    const messages = Array.from({ length: 12 }, (_, i) => ({ message: wakeUp(`s-${i}`) }));
    const error = await codeOf(sender().wakeUps.send(QUEUE_URL, messages));
    expect(error).toMatchObject({ code: 'WAKE_UP_NOT_SENT', retryable: false });
    expect(requests().map((entries) => entries.length)).toEqual([10, 2]);
  });

  it('repeats throttling, whoever’s fault it is called', async () => {
    let refusals = 1;
    answering(() => (refusals-- > 0 ? { Code: 'KmsThrottled', SenderFault: true } : undefined));
    await sender().wakeUps.send(QUEUE_URL, [{ message: wakeUp('s') }]);
    expect(requests()).toHaveLength(2);
  });

  it('takes a message that the answer does not mention as lost', async () => {
    sqs
      .on(SendMessageBatchCommand)
      .resolvesOnce({ Successful: [], Failed: [] })
      .resolves({ Successful: [{ Id: '0', MessageId: 'm', MD5OfMessageBody: '' }], Failed: [] });
    await sender().wakeUps.send(QUEUE_URL, [{ message: wakeUp('s') }]);
    expect(requests()).toHaveLength(2);
  });

  it('throws with the cause when the request itself fails', async () => {
    sqs.on(SendMessageBatchCommand).rejects(Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }));
    const error = await codeOf(sender().wakeUps.send(QUEUE_URL, [{ message: wakeUp('s') }]));
    expect(error).toMatchObject({ code: 'WAKE_UP_NOT_SENT', retryable: true, cause: { code: 'ECONNRESET' } });
  });

  it.each([-1, 1.5, 901, Number.NaN])('refuses a delay of %s seconds before anything is sent', async (delaySeconds) => {
    answering(() => undefined);
    const messages = [{ message: wakeUp('s-0') }, { message: wakeUp('s-1'), delaySeconds }];
    expect(await codeOf(sender().wakeUps.send(QUEUE_URL, messages))).toMatchObject({ code: 'INVALID_DELAY' });
    expect(requests()).toEqual([]);
  });

  it('refuses a message above SQS’s limit before anything is sent', async () => {
    answering(() => undefined);
    const huge = { ...wakeUp('s'), correlationId: 'x'.repeat(1_048_577) } as QueueMessage;
    expect(await codeOf(sender().wakeUps.send(QUEUE_URL, [{ message: huge }]))).toMatchObject({
      code: 'WAKE_UP_TOO_LARGE',
    });
    expect(requests()).toEqual([]);
  });

  it('writes characters that SQS refuses as escapes', async () => {
    answering(() => undefined);
    await sender().wakeUps.send(QUEUE_URL, [{ message: wakeUp('s-\uffff-\ufffe-\u20ac') }]);
    const body = requests()[0]?.[0]?.MessageBody as string;
    expect(body).not.toMatch(/[\ufffe\uffff]/);
    expect(JSON.parse(body).streamId).toBe('s-\uffff-\ufffe-\u20ac');
  });
});
