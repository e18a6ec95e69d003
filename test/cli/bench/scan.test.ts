import { describe, expect, it } from '@jest/globals';
import { measureScanCost } from '../../../lib/cli/bench/scan-cost.ts';

describe('the benchmark of the gap scan', () => {
  it('finds the same reads for few and for many streams when 100 of them moved', async () => {
    const { results, broken } = await measureScanCost(() => undefined, [1_000, 10_000]);
    expect(broken).toEqual([]);
    const [fewRequests, fewUnits, manyRequests, manyUnits] = results.map(({ value }) => value) as [
      number,
      number,
      number,
      number,
    ];
    expect(manyRequests).toBe(fewRequests);
    // One unit for each checkpoint, a few for the pages, the registry and the scan's own state.
    expect(fewUnits).toBeGreaterThanOrEqual(100);
    expect(fewUnits).toBeLessThan(130);
    expect(Math.abs(manyUnits - fewUnits)).toBeLessThanOrEqual(2);
  });
});
