import { describe, expect, it } from '@jest/globals';
import { measureCeiling } from '../../../lib/cli/bench/relay-ceiling.ts';
import { measureCost } from '../../../lib/cli/bench/relay-cost.ts';

describe('the benchmark of the relay', () => {
  it('finds the cost of the log inside its limits', async () => {
    const { results, broken } = await measureCost(() => undefined);
    expect(broken).toEqual([]);
    expect(results.map(({ metric, subject }) => `${metric}: ${subject}`)).toEqual([
      'extra cost, batch of 99 commits of 99 streams: ours',
      'extra cost, batch of 99 commits of 99 streams: limit',
      'extra cost, batch of 100 commits of 5 streams: ours',
      'extra cost, batch of 100 commits of 5 streams: limit',
      'extra cost, batch of 1 commit: ours',
    ]);
    // 99 directory items and a page, 2 units for each KB: never less than 2 for each commit of another stream.
    expect(results[0]?.value).toBeGreaterThan(2);
    expect(results[2]?.value).toBeGreaterThan(0.1);
    expect(results[4]?.value).toBe(4);
  });

  it('measures the ceiling of one log partition with 1, 4 and 16 relays', async () => {
    const results = await measureCeiling(0.01, () => undefined);
    const ceilings = results.filter(({ metric }) => metric.startsWith('ceiling'));
    expect(ceilings).toHaveLength(6);
    for (const { value } of ceilings) expect(value).toBeGreaterThan(0);
    expect(results.every(({ unit }) => ['commits/s', 'pages/s', 'per page'].includes(unit))).toBe(true);
  });
});
