import { beforeEach, describe, expect, it } from '@jest/globals';
import { answerRedrive } from '../../../lib/recovery/redrive/redrive.ts';
import { createRetries, type Retries, retryByType, retryEvent } from '../../../lib/runtime.ts';
import { type Bench, createBench } from './support.ts';

let bench: Bench;
let retries: Retries;

beforeEach(async () => {
  bench = await createBench();
  retries = createRetries({
    functionName: 'redrive',
    requestedBy: 'anna',
    client: {
      send: async ({ input }) => {
        const event = JSON.parse(Buffer.from(input.Payload as Uint8Array).toString('utf8'));
        const answer = await answerRedrive(bench.deps, event, { remainingMs: () => 300_000, requestId: 'request-1' });
        return { Payload: Buffer.from(JSON.stringify(answer)) };
      },
    },
  });
});

describe('retries for programs', () => {
  it('retry one event, or all of a type, and answer with the count', async () => {
    await bench.fill({ 'order-1': 2, 'order-2': 2, 'order-3': 1 }, 'order-1@1', 'order-2@1', 'order-3@1');
    bench.poison.clear();
    expect(await retries.retryEvent('order-1-1')).toBe(1);
    await bench.system.settle();
    expect(await retries.retryEvent('order-1-1')).toBe(0);
    expect(await retries.retryByType('Placed')).toBe(2);
    await bench.system.settle();
    expect(await retries.retryByType('Placed')).toBe(0);
    await bench.expectProved({ resolved: 5, parked: 0 });
  });

  it('pass the code of an error on, and that of a function that failed', async () => {
    await expect(retries.retryEvent('nobody')).rejects.toMatchObject({ code: 'UNKNOWN_DEAD_LETTER', retryable: false });
    const broken = createRetries({
      functionName: 'redrive',
      requestedBy: 'anna',
      client: { send: async () => ({ FunctionError: 'Unhandled', Payload: Buffer.from('{"errorMessage":"no"}') }) },
    });
    await expect(broken.retryByType('Placed')).rejects.toMatchObject({ code: 'FUNCTION_FAILED', retryable: true });
  });
});

it('retryEvent and retryByType are exported, and say which variable they miss', async () => {
  const before = process.env.REDRIVE_DEAD_LETTERS_FUNCTION_NAME;
  delete process.env.REDRIVE_DEAD_LETTERS_FUNCTION_NAME;
  try {
    for (const retry of [retryEvent, retryByType]) {
      await expect(retry('x')).rejects.toMatchObject({
        code: 'MISSING_ENVIRONMENT',
        message: expect.stringContaining('REDRIVE_DEAD_LETTERS_FUNCTION_NAME'),
      });
    }
  } finally {
    if (before !== undefined) process.env.REDRIVE_DEAD_LETTERS_FUNCTION_NAME = before;
  }
});
