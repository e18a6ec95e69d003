import { beforeEach, describe, expect, it } from '@jest/globals';
import { answerRedrive } from '../../../lib/recovery/redrive/redrive.ts';
import { createRetries, type Retries } from '../../../lib/runtime.ts';
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
