import { describe, expect, it } from '@jest/globals';
import { measureConsumerCost } from '../../../lib/cli/bench/consumer-cost.ts';

describe('the benchmark of the consumer', () => {
  it('finds the bookkeeping of leases, checkpoints and markers inside its limits', async () => {
    const { results, broken } = await measureConsumerCost(() => undefined);
    expect(broken).toEqual([]);
    const ours = results.filter(({ subject }) => subject === 'ours').map(({ metric, value }) => [metric, value]);
    // Never less than a lease, and a transaction for each of what one transaction may hold: a smaller figure counts wrong.
    expect(Object.fromEntries(ours)).toEqual({
      'bookkeeping per stream and batch, transactional, 1 event': 3,
      'bookkeeping per stream and batch, transactional, 10 events in a group': 3,
      'bookkeeping per stream and batch, transactional, 10 events one by one': 21,
      'bookkeeping per stream and batch, idempotent, 1 event': 4,
      'bookkeeping per stream and batch, idempotent, 10 events': 22,
      'bookkeeping per stream and batch, transactional, 1 event delivered again': 1,
      'bookkeeping per stream and batch, idempotent, 10 events delivered again': 1,
    });
  });
});
