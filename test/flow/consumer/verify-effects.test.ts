// A consumer's function when the verification asks it: what it refuses, how it uses its time, and what it does when user code
// takes too much of it.

import { describe, expect, it } from '@jest/globals';
import { type VerifyEffectsDeps, verifyEffects } from '../../../lib/flow/consumer/verify-effects.ts';
import { createMemoryEventStore } from '../../../lib/flow/event-store/memory-event-store.ts';
import type { StreamToCheck } from '../../../lib/model/effect-check.ts';
import { silentLogger } from '../../../lib/platform/logging.ts';

const streams = (count: number): StreamToCheck[] =>
  Array.from({ length: count }, (_, index) => ({ streamId: `order-${index + 1}`, checkpoint: 0, expected: [] }));
const request = (change: object = {}) => ({
  kind: 'verify-effects',
  format: 1,
  consumer: 'billing',
  streams: streams(1),
  ...change,
});
const neverEnding = (): Promise<never> => new Promise(() => undefined);

function setup(change: Partial<VerifyEffectsDeps> = {}) {
  const time = { leftMs: 10_000 };
  let passTime: () => void = () => undefined;
  const timeIsOver = new Promise<void>((resolve) => {
    passTime = resolve;
  });
  const deps: VerifyEffectsDeps = {
    consumer: 'billing',
    verify: async () => [],
    eventStore: createMemoryEventStore(),
    timers: { sleep: () => timeIsOver },
    logger: silentLogger,
    ...change,
  };
  const ask = (raw: unknown) => verifyEffects(deps, raw, { remainingMs: () => time.leftMs, requestId: 'r' });
  return { time, ask, passTime: () => passTime() };
}

describe('a consumer that is asked about its effects', () => {
  it('shows verify() exactly the events that are expected, in order, however they lie in commits', async () => {
    const eventStore = createMemoryEventStore();
    const events = Array.from({ length: 9 }, (_, index) => ({ id: `e-${index + 1}`, type: 'T', data: {} }));
    await eventStore.append('order-1', events.slice(0, 4), 'no-stream');
    await eventStore.append('order-1', events.slice(4), 4);
    const shown: unknown[] = [];
    const { ask } = setup({
      eventStore,
      verify: async ({ streamId, checkpoint, events: expected }, { consumer }) => {
        for await (const { event, times } of expected) shown.push([event.metadata.version, times.min, times.max]);
        shown.push([streamId, checkpoint, consumer]);
        return [];
      },
    });
    const expected = [
      { from: 2, to: 3, min: 1, max: 1 },
      { from: 5, to: 5, min: 0 },
      { from: 7, to: 8, min: 1 },
    ];
    const answer = await ask(request({ streams: [{ streamId: 'order-1', checkpoint: 8, expected }] }));
    expect(shown).toEqual([
      [2, 1, 1],
      [3, 1, 1],
      [5, 0, Number.POSITIVE_INFINITY],
      [7, 1, Number.POSITIVE_INFINITY],
      [8, 1, Number.POSITIVE_INFINITY],
      ['order-1', 8, 'billing'],
    ]);
    expect(answer).toEqual({
      format: 1,
      checked: 1,
      events: 5,
      wholeChecked: false,
      violations: [],
      violationCount: 0,
    });
  });

  it('looks at as many streams as it has time for, and says how many', async () => {
    const { ask, time } = setup({
      verify: async () => {
        time.leftMs -= 3_000;
        return [];
      },
    });
    expect(await ask(request({ streams: streams(5), whole: true }))).toMatchObject({ checked: 3, wholeChecked: false });
  });

  it('ends in time when verify() does not, tells it to abort, and blames the first stream only', async () => {
    const reasons: unknown[] = [];
    const { ask, passTime } = setup({
      verify: (_stream, { signal }) => {
        signal.addEventListener('abort', () => reasons.push(signal.reason));
        return neverEnding();
      },
    });
    const answer = ask(request({ streams: streams(2) }));
    passTime();
    expect(await answer).toMatchObject({
      checked: 1,
      violations: [{ streamId: 'order-1', failure: 'VERIFY_TIMED_OUT' }],
    });
    expect(reasons).toHaveLength(1);
  });

  it('does not blame a stream that had only what others left of the time: it is asked about again', async () => {
    const { ask, passTime } = setup({
      verify: async ({ streamId }) => {
        if (streamId === 'order-1') return [];
        passTime();
        return neverEnding();
      },
    });
    expect(await ask(request({ streams: streams(2) }))).toMatchObject({ checked: 1, violations: [] });
  });

  it('does not believe a verify() that answers after it was told to abort', async () => {
    const { ask, passTime } = setup({
      verify: (_stream, { signal }) =>
        new Promise((resolve) => signal.addEventListener('abort', () => resolve([]), { once: true })),
    });
    const answer = ask(request());
    passTime();
    expect(await answer).toMatchObject({ violations: [{ failure: 'VERIFY_TIMED_OUT' }] });
  });

  it('answers at most 200 violations a stream, counts them, and cuts long texts', async () => {
    const detail = 'x'.repeat(9_000);
    const { ask } = setup({ verify: async () => Array.from({ length: 300 }, () => ({ detail })) });
    const { checked, violations, violationCount } = await ask(request({ streams: streams(3) }));
    expect([checked, violations.length, violationCount]).toEqual([1, 200, 300]);
    expect(violations[0]?.detail).toHaveLength(500);
  });

  it('names a verifyWhole() that throws, and looks at the whole only after the streams', async () => {
    const order: string[] = [];
    const { ask } = setup({
      verify: async ({ streamId }) => {
        order.push(streamId);
        return [];
      },
      verifyWhole: async () => {
        order.push('whole');
        throw new Error('no table');
      },
    });
    const answer = await ask(request({ whole: true }));
    expect(order).toEqual(['order-1', 'whole']);
    expect(answer).toMatchObject({
      wholeChecked: true,
      violations: [{ failure: 'VERIFY_THREW', detail: 'Error: no table' }],
    });
    expect(answer.violations[0]).not.toHaveProperty('streamId');
  });

  it('says that it has no verify() when its code has none any more', async () => {
    const { ask } = setup({ verify: undefined });
    expect(await ask(request())).toMatchObject({ violations: [{ failure: 'VERIFY_NOT_CALLED' }] });
  });

  it.each<[string, object]>([
    ['CONSUMER_NAME_DIFFERS', { consumer: 'other' }],
    ['INVALID_FORMAT', { format: 0 }],
    ['NEWER_FORMAT', { format: 9 }],
    ['INVALID_EFFECT_CHECK', { streams: undefined }],
    ['INVALID_EFFECT_CHECK', { streams: streams(101) }],
    ['INVALID_STREAM_ID', { streams: [{ streamId: '', checkpoint: 0, expected: [] }] }],
    ['INVALID_EFFECT_CHECK', { streams: [{ streamId: 's', checkpoint: -1, expected: [] }] }],
    ['INVALID_EFFECT_CHECK', { streams: [{ streamId: 's', checkpoint: 2, expected: [{ from: 1, to: 3, min: 1 }] }] }],
    ['INVALID_EFFECT_CHECK', { streams: [{ streamId: 's', checkpoint: 9, expected: [{ from: 3, to: 2, min: 1 }] }] }],
  ])('refuses with %s: %j', async (code, change) => {
    await expect(setup().ask(request(change))).rejects.toMatchObject({ code });
  });
});
