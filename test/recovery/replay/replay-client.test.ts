import type { InvokeCommand } from '@aws-sdk/client-lambda';
import { expect, it } from '@jest/globals';
import { answerReplay } from '../../../lib/recovery/replay/replay.ts';
import { createReplayClient } from '../../../lib/recovery/replay/replay-client.ts';
import { ats, createBench } from './support.ts';

async function createProgram() {
  const bench = await createBench();
  const start = bench.system.clock.now();
  for (const [second, streamId] of [
    [10, 'order-1'],
    [20, 'order-2'],
    [30, 'order-1'],
  ] as const) {
    bench.system.clock.set(start + second * 1_000);
    await bench.fill({ [streamId]: 1 });
  }
  bench.take();
  const time = { remainingMs: () => 300_000, requestId: 'request-1' };
  const client = {
    send: async (command: InvokeCommand) => {
      expect(command.input.FunctionName).toBe('replay');
      const input: unknown = JSON.parse(Buffer.from(command.input.Payload as Uint8Array).toString());
      return { Payload: Buffer.from(JSON.stringify(await answerReplay(bench.deps, input, time))) };
    },
  };
  const replays = createReplayClient({ client, functionName: 'replay', requestedBy: 'a program' });
  const at = (second: number): Date => new Date(start + second * 1_000);
  return { bench, replays, at };
}

it('replayTimeRange delivers the events of the range again, both ends included, and nothing else', async () => {
  const { bench, replays, at } = await createProgram();
  const replay = await replays.replayTimeRange({ consumer: 'inventory', startTime: at(20), endTime: at(30) });
  expect(replay).toMatchObject({ status: 'done', events: { done: 2 } });
  expect(ats(bench.take()).sort()).toEqual(['order-1@2', 'order-2@1']);
  expect(await replays.status(replay?.id as string)).toMatchObject({ percent: 100 });
  expect(await replays.cancel(replay?.id as string)).toMatchObject({ status: 'done' });
  await bench.expectProved();
});

it('replayTimeRange rewinds each stream from its first event of the range when asked to', async () => {
  const { bench, replays, at } = await createProgram();
  await replays.replayTimeRange({ consumer: 'inventory', startTime: at(10), endTime: at(10), mode: 'rewind' });
  expect(ats(bench.take())).toEqual(['order-1@1', 'order-1@2']);
});

it('replayTimeRange answers nothing for a range without events, and refuses bad ranges with their codes', async () => {
  const { bench, replays, at } = await createProgram();
  const range = { consumer: 'inventory', startTime: at(11), endTime: at(12) };
  expect(await replays.replayTimeRange(range)).toBeUndefined();
  await expect(replays.replayTimeRange({ ...range, endTime: at(5) })).rejects.toMatchObject({ code: 'INVERTED_RANGE' });
  await expect(replays.replayTimeRange({ ...range, startTime: at(999_999), endTime: at(1e6) })).rejects.toMatchObject({
    code: 'RANGE_PAST_HEAD',
  });
  await expect(replays.replayTimeRange({ ...range, consumer: 'nobody' })).rejects.toMatchObject({
    code: 'UNKNOWN_CONSUMER',
  });
  await expect(replays.replayTimeRange({ ...range, endTime: new Date('nonsense') })).rejects.toMatchObject({
    code: 'INVALID_TIME',
  });
  expect(bench.take()).toEqual([]);
});

it('a function that fails is a retryable error', async () => {
  const client = {
    send: async () => ({ FunctionError: 'Unhandled', Payload: Buffer.from('{"errorMessage":"no memory"}') }),
  };
  const replays = createReplayClient({ client, functionName: 'replay', requestedBy: 'a program' });
  await expect(replays.status('x')).rejects.toMatchObject({ code: 'FUNCTION_FAILED', retryable: true });
});
