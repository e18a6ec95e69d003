// Questions to a consumer's function that pages, dies, or answers what cannot be true.

import { describe, expect, it } from '@jest/globals';
import type { EffectCheckAnswer, EffectCheckRequest, StreamToCheck } from '../../../lib/model/effect-check.ts';
import { createEffectQuestions } from '../../../lib/recovery/verify/ask-function.ts';
import { askAboutEffects, askAboutWhole } from '../../../lib/recovery/verify/effects.ts';

const billing = { name: 'billing', functionName: 'billing-fn' };
const streams = (count: number): StreamToCheck[] =>
  Array.from({ length: count }, (_, index) => ({ streamId: `s-${index}`, checkpoint: 0, expected: [] }));
const well = (request: EffectCheckRequest, change: Partial<EffectCheckAnswer> = {}): EffectCheckAnswer => ({
  format: 1,
  checked: request.streams.length,
  events: request.streams.length,
  wholeChecked: request.whole === true,
  violations: [],
  violationCount: 0,
  ...change,
});

function answering(answer: (request: EffectCheckRequest, call: number) => unknown) {
  const asked: string[][] = [];
  const ask = async (_name: string, request: EffectCheckRequest): Promise<unknown> => {
    asked.push(request.streams.map(({ streamId }) => streamId));
    return answer(request, asked.length);
  };
  return { asked, questions: { ask } };
}

describe('asking a consumer about its effects', () => {
  it('asks in pages of at most 100 streams, and again about what there was no time for', async () => {
    const { asked, questions } = answering((request) =>
      well(request, { checked: Math.min(60, request.streams.length) }),
    );
    const found = await askAboutEffects(questions, billing, streams(130));
    expect(found).toMatchObject({ streams: 130, violations: [], failures: 0 });
    expect(asked.map(({ length }) => length)).toEqual([100, 70, 10]);
    expect(asked[1]?.[0]).toBe('s-60');
  });

  it('finds the one stream that ends the function, and hears about all others', async () => {
    const { questions } = answering((request) => {
      if (request.streams.some(({ streamId }) => streamId === 's-7')) throw new Error('out of memory');
      return well(request);
    });
    const found = await askAboutEffects(questions, billing, streams(100));
    expect(found).toMatchObject({ streams: 99, failures: 1 });
    expect(found.violations).toEqual([
      { streamId: 's-7', failure: 'VERIFY_NOT_CALLED', detail: 'Error: out of memory' },
    ]);
  });

  it('gives up on a function that never answers after a bounded number of questions, and says how many are left', async () => {
    const { asked, questions } = answering(() => {
      throw new Error('AccessDenied');
    });
    const found = await askAboutEffects(questions, billing, streams(5_000));
    expect(asked.length).toBeLessThan(20);
    expect(found.streams).toBe(0);
    expect(found.violations.at(-1)).toEqual({
      failure: 'VERIFY_NOT_CALLED',
      detail: 'given up after 10 failures, 4990 streams were not looked at',
    });
  });

  it.each<[string, (request: EffectCheckRequest) => unknown]>([
    ['nothing', () => null],
    ['a batch response', () => ({ batchItemFailures: [] })],
    ['that it looked at nothing', (request) => well(request, { checked: 0 })],
    ['that it looked at more than it was asked', (request) => well(request, { checked: 2 })],
    ['in a newer format', (request) => well(request, { format: 2 })],
    [
      'violations that it does not count',
      (request) => well(request, { violations: [{ streamId: 's-0', detail: 'x' }] }),
    ],
    ['a count without violations', (request) => well(request, { violationCount: 3 })],
    [
      'about a stream that it was not asked about',
      (request) => well(request, { violations: [{ streamId: 's-9', detail: 'x' }], violationCount: 1 }),
    ],
  ])('takes no answer that says %s', async (_name, answer) => {
    const { questions } = answering(answer);
    const found = await askAboutEffects(questions, billing, streams(1));
    expect(found).toMatchObject({ streams: 0, failures: 1, violations: [{ failure: 'VERIFY_NOT_CALLED' }] });
  });

  it('fails by name when nobody looked at the whole', async () => {
    const { questions } = answering((request) => well(request, { wholeChecked: false }));
    expect(await askAboutWhole(questions, billing)).toMatchObject({
      failures: 1,
      violations: [{ detail: 'the function had no time for verifyWhole()' }],
    });
  });
});

describe('a function that is invoked', () => {
  const lambda = (output: object) => ({ send: async () => output }) as never;
  const request = { kind: 'verify-effects' as const, format: 1, consumer: 'billing', streams: [] };
  const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

  it('answers with its payload', async () => {
    const questions = createEffectQuestions({ lambda: lambda({ Payload: bytes({ format: 1 }) }) });
    expect(await questions.ask('billing-fn', { ...request })).toEqual({ format: 1 });
  });

  it('has not answered when it ended with an error, was cut off, or said nothing', async () => {
    const failed = { FunctionError: 'Unhandled', Payload: bytes({ errorMessage: 'Task timed out' }) };
    for (const output of [failed, {}]) {
      const questions = createEffectQuestions({ lambda: lambda(output) });
      await expect(questions.ask('billing-fn', { ...request })).rejects.toThrow();
    }
  });
});
