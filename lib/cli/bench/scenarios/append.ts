// Benchmark `append`: one request and ceil(stored KB) write units for each commit, the same at any length of the stream,
// and how close its rate comes to a bare conditional PutItem of the same bytes.

import { createDynamo } from '../../../platform/dynamodb/client.ts';
import { EVENTS_TABLE, LOG_TABLE } from '../../../platform/dynamodb/schemas.ts';
import { measureLengths, measureUnits } from '../append-cost.ts';
import { measureRate } from '../append-rate.ts';
import { counting } from '../counting-dynamo.ts';
import type { Scenario } from '../scenario.ts';
import { createBenchClient, createBenchTables } from '../tables.ts';

const scenario: Scenario = {
  name: 'append',
  what: 'requests, capacity units and rate of appends, against a bare conditional PutItem',
  async run({ dynamoDbUrl, effort, progress }) {
    const client = createBenchClient(await dynamoDbUrl());
    try {
      const tables = await createBenchTables(client, [EVENTS_TABLE, LOG_TABLE]);
      const names = {
        eventsTable: tables.get(EVENTS_TABLE.name) as string,
        logTable: tables.get(LOG_TABLE.name) as string,
      };
      const cost = { ...names, dynamo: counting(createDynamo(client)), progress };
      const outcomes = [
        await measureRate({ ...names, client, effort, progress }),
        await measureUnits(cost),
        await measureLengths(cost),
      ];
      return {
        results: outcomes.flatMap(({ results }) => results),
        broken: outcomes.flatMap(({ broken }) => broken),
      };
    } finally {
      client.destroy();
    }
  },
};

export default scenario;
