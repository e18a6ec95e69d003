// Benchmark `rehydrate`: a stream of 100,000 events folded with and without a snapshot.

import { performance } from 'node:perf_hooks';
import { createDynamo } from '../../../platform/dynamodb/client.ts';
import { EVENTS_TABLE, LOG_TABLE, SNAPSHOTS_TABLE } from '../../../platform/dynamodb/schemas.ts';
import { counting } from '../counting-dynamo.ts';
import { measureRehydrate } from '../rehydrate-cost.ts';
import type { Scenario } from '../scenario.ts';
import { createBenchClient, createBenchTables } from '../tables.ts';

const scenario: Scenario = {
  name: 'rehydrate',
  what: 'requests, read units and time of folding a stream of 100,000 events, with and without a snapshot',
  async run({ dynamoDbUrl, effort, progress }) {
    const client = createBenchClient(await dynamoDbUrl());
    try {
      const tables = await createBenchTables(client, [EVENTS_TABLE, LOG_TABLE, SNAPSHOTS_TABLE]);
      return await measureRehydrate({
        dynamo: counting(createDynamo(client)),
        eventsTable: tables.get(EVENTS_TABLE.name) as string,
        logTable: tables.get(LOG_TABLE.name) as string,
        snapshotsTable: tables.get(SNAPSHOTS_TABLE.name) as string,
        effort,
        nowMs: () => performance.now(),
        progress,
      });
    } finally {
      client.destroy();
    }
  },
};

export default scenario;
