import { describe, expect, it } from '@jest/globals';
import { counting } from '../../../lib/cli/bench/counting-dynamo.ts';
import { measureRehydrate } from '../../../lib/cli/bench/rehydrate-cost.ts';
import { EVENTS_TABLE, LOG_TABLE, SNAPSHOTS_TABLE } from '../../../lib/platform/dynamodb/schemas.ts';
import { memoryEngine } from '../../support/engines.ts';

describe('the benchmark of rehydration', () => {
  it('reads a long stream once as a whole, and then only what came after the snapshot', async () => {
    const { dynamo } = await memoryEngine.createTables([EVENTS_TABLE, LOG_TABLE, SNAPSHOTS_TABLE]);
    const { results, broken } = await measureRehydrate({
      dynamo: counting(dynamo),
      eventsTable: 'Events',
      logTable: 'Log',
      snapshotsTable: 'Snapshots',
      effort: 0.05,
      nowMs: () => 0,
      progress: () => undefined,
    });
    expect(broken).toEqual([]);
    const of = (unit: string) => results.filter((result) => result.unit === unit).map(({ value }) => value);
    expect(of('events')).toEqual([5_000, 0, 500]);
    const [whole = 0, fresh = 0, behind = 0] = of('RCU');
    // One snapshot and the commit that it names, against every commit of the stream.
    expect(fresh).toBeLessThan(whole / 10);
    expect(behind).toBeLessThan(whole / 5);
    expect(of('requests')[1]).toBeLessThanOrEqual(3);
  });
});
