import { describe, expect, it } from '@jest/globals';
import {
  afterInvocation,
  expired,
  type InvocationResult,
  lanesOf,
  type Segment,
  type StreamSettings,
} from '../../../lib/local/mappings/stream-batch.ts';

const settings = (more: Partial<StreamSettings> = {}): StreamSettings => ({
  maximumRetryAttempts: 2,
  maximumRecordAgeSeconds: -1,
  bisect: false,
  ...more,
});
const batch = (...records: number[]): Segment<number> => ({ records, failures: 0, invocations: 0 });

/** Runs a batch to its end. `poison` fails whatever batch holds it. */
function drain(records: number[], poison: number[], rules: StreamSettings, result: 'throws' | 'reports' = 'throws') {
  const open: Segment<number>[] = [batch(...records)];
  const done: number[] = [];
  const discarded: number[] = [];
  let invocations = 0;
  while (open.length > 0 && invocations < 1_000) {
    const segment = open.shift() as Segment<number>;
    invocations += 1;
    const firstBad = segment.records.findIndex((record) => poison.includes(record));
    let outcome: InvocationResult = { kind: 'succeeded' };
    if (firstBad >= 0)
      outcome = result === 'reports' && firstBad > 0 ? { kind: 'failed-from', from: firstBad } : { kind: 'failed' };
    const resolved =
      firstBad < 0 ? segment.records : outcome.kind === 'failed-from' ? segment.records.slice(0, firstBad) : [];
    done.push(...resolved);
    const next = afterInvocation(segment, outcome, rules);
    discarded.push(...(next.discarded?.records ?? []));
    open.unshift(...next.segments);
  }
  return { done, discarded, invocations };
}

describe('a batch of a DynamoDB stream', () => {
  it('is tried once and as often again as the mapping says, then given up whole', () => {
    expect(drain([1, 2, 3], [2], settings())).toEqual({ done: [], discarded: [1, 2, 3], invocations: 3 });
  });

  it('is split until only the bad record is given up, in order, when it bisects', () => {
    const { done, discarded } = drain([1, 2, 3, 4, 5, 6, 7], [3, 6], settings({ bisect: true }));
    expect(discarded).toEqual([3, 6]);
    expect(done).toEqual([1, 2, 4, 5, 7]);
  });

  it('does not use up attempts by splitting', () => {
    const { invocations } = drain([1, 2], [2], settings({ bisect: true, maximumRetryAttempts: 2 }));
    expect(invocations).toBe(1 + 1 + 3); // the pair, the good half, the bad half three times
  });

  it('goes on from the lowest record that was reported', () => {
    expect(drain([1, 2, 3, 4], [3], settings(), 'reports')).toEqual({
      done: [1, 2],
      discarded: [3, 4],
      invocations: 3,
    });
    const { done, discarded } = drain([1, 2, 3, 4], [3], settings({ bisect: true }), 'reports');
    expect(discarded).toEqual([3]);
    expect(done).toEqual([1, 2, 4]);
  });

  it('is retried for ever when no limit is set', () => {
    const next = afterInvocation(
      { ...batch(1), failures: 500 },
      { kind: 'failed' },
      settings({ maximumRetryAttempts: -1 }),
    );
    expect(next).toEqual({ segments: [{ records: [1], failures: 501, invocations: 1 }] });
  });

  it('loses the records that are too old', () => {
    const aged = settings({ maximumRecordAgeSeconds: 60 });
    const ages: Record<number, number> = { 1: 100, 2: 61, 3: 60, 4: 1 };
    const ageOf = (record: number): number => ages[record] ?? 0;
    expect(expired(batch(1, 2, 3, 4), ageOf, aged)).toMatchObject({ old: [1, 2], fresh: { records: [3, 4] } });
    expect(expired(batch(1, 2), ageOf, aged)).toMatchObject({ old: [1, 2], fresh: { records: [] } });
    expect(expired(batch(1, 2), ageOf, settings())).toMatchObject({ old: [], fresh: { records: [1, 2] } });
  });

  it('is spread over lanes by key, each key in one lane and in order', () => {
    const records = Array.from({ length: 100 }, (_, index) => ({ key: `k${index % 7}`, index }));
    const lanes = lanesOf(records, (record) => record.key, 4);
    expect(lanes.length).toBeGreaterThan(1);
    for (let key = 0; key < 7; key += 1) {
      const holding = lanes.filter((lane) => lane.some((record) => record.key === `k${key}`));
      expect(holding).toHaveLength(1);
      const order = holding[0]?.filter((record) => record.key === `k${key}`).map((record) => record.index) ?? [];
      expect(order).toEqual([...order].sort((a, b) => a - b));
    }
  });
});
