// The counted figures of the append benchmark hold in every run; rates are measured by `npm run bench`, not here.

import { describe, expect, it } from '@jest/globals';
import { measureLengths, measureUnits, STREAM_LENGTHS } from '../../../lib/cli/bench/append-cost.ts';
import { measureRate } from '../../../lib/cli/bench/append-rate.ts';
import { counting } from '../../../lib/cli/bench/counting-dynamo.ts';
import { createBenchClient, createBenchTables } from '../../../lib/cli/bench/tables.ts';
import { createDynamo } from '../../../lib/platform/dynamodb/client.ts';
import { EVENTS_TABLE, LOG_TABLE } from '../../../lib/platform/dynamodb/schemas.ts';

async function open() {
  const client = createBenchClient(process.env.DYNAMODB_ENDPOINT as string);
  const tables = await createBenchTables(client, [EVENTS_TABLE, LOG_TABLE]);
  const names = {
    eventsTable: tables.get(EVENTS_TABLE.name) as string,
    logTable: tables.get(LOG_TABLE.name) as string,
  };
  return { client, ...names, dynamo: counting(createDynamo(client)), progress: () => undefined };
}

describe('the append benchmark', () => {
  it('counts one request and ceil(stored KB) units for commits of every size', async () => {
    const bench = await open();
    try {
      const { results, broken } = await measureUnits(bench);
      expect(broken).toEqual([]);
      const requests = results.filter(({ subject, unit }) => subject === 'ours' && unit === 'requests');
      expect(requests.map(({ value }) => value)).toEqual([1, 1, 1, 1, 1]);
      for (const { ratioToLimit } of results) if (ratioToLimit !== undefined) expect(ratioToLimit).toBe(1);
    } finally {
      bench.client.destroy();
    }
  });

  it('counts the same at the end of streams of 10, 1,000 and 100,000 events', async () => {
    const bench = await open();
    try {
      const { results, broken } = await measureLengths(bench);
      expect(broken).toEqual([]);
      expect(results).toHaveLength(STREAM_LENGTHS.length * 2 * 4);
    } finally {
      bench.client.destroy();
    }
  });

  it('measures both sides of the rate and reports their ratio', async () => {
    const bench = await open();
    try {
      const { results } = await measureRate({ ...bench, effort: 0.01 });
      expect(results.map(({ subject }) => subject)).toEqual(['ours', 'limit', 'ours', 'limit']);
      for (const { value } of results) expect(value).toBeGreaterThan(0);
      for (const { subject, ratioToLimit } of results) expect(ratioToLimit === undefined).toBe(subject === 'limit');
    } finally {
      bench.client.destroy();
    }
  });
});
