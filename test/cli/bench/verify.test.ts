import { describe, expect, it } from '@jest/globals';
import { measureVerifyCost } from '../../../lib/cli/bench/verify-cost.ts';

describe('the benchmark of the verification', () => {
  it('finds about the same reads per stream for few and for many streams', async () => {
    const { results, broken } = await measureVerifyCost(() => undefined, [200, 2_000], 200);
    expect(broken).toEqual([]);
    const of = (unit: string) => results.filter((one) => one.unit === unit).map(({ value }) => value);
    expect(of('batches')).toEqual([1, 10]);
    // A query of the stream; its directory item and three checkpoints with those of others, a hundred in a request.
    for (const requests of of('requests per stream')) {
      expect(requests).toBeGreaterThan(1);
      expect(requests).toBeLessThan(1.2);
    }
    expect(of('file bytes per stream')[0]).toBe(0);
  });

  it('calls a cost that grows with the store broken', async () => {
    const { broken } = await measureVerifyCost(() => undefined, [20, 200], 2);
    expect(broken).toEqual([expect.stringMatching(/^units per stream are \S+ times as many/)]);
  });
});
