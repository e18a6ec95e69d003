// The scrub over DynamoDB Local: the order of a real scan, its pages and its numbers.

import { describe, expect, it } from '@jest/globals';
import { localEngine } from '../../support/engines.ts';
import { createScrubBench } from './support.ts';

describe('the scrub on DynamoDB Local', () => {
  it('finds nothing in a whole store, whatever the size of its pages, and exactly what was damaged', async () => {
    const bench = await createScrubBench({ engine: localEngine });
    try {
      await bench.fill();
      for (const pageItems of [1, 3, 50]) expect(await bench.rotate({ pageItems, timeMs: 0 })).toEqual([]);
      await bench.change('order-3', 2, { count: 4 });
      await bench.drop('order-1', 4);
      await bench.drop('order-2', 1);
      const item = await bench.item('order-4', 1);
      await bench.putItem({ ...item, version: 2 });
      bench.system.clock.advance(1_000);
      await bench.rotate({ pageItems: 2 });
      expect(await bench.found()).toEqual([
        'truncated-stream order-1 4-4',
        'truncated-stream order-2 1-3',
        'hash-mismatch order-3 2-2',
        'foreign-item order-4 2-2',
      ]);
      const { last } = await bench.deps.states.read();
      expect(last?.counts.units).toBeGreaterThan(10);
    } finally {
      await bench.system.close();
    }
  });
});
