// Benchmark `replay`: a full replay with a react that does nothing, against bare paged Queries of the same streams, what it
// consumes per event, and what it holds in memory.

import { createDynamo } from '../../../platform/dynamodb/client.ts';
import { ALL_TABLES } from '../../../platform/dynamodb/schemas.ts';
import { measureReplayCost } from '../replay-cost.ts';
import { measureReplayMemory } from '../replay-memory.ts';
import { measureReplayRate } from '../replay-rate.ts';
import type { BenchTables } from '../replay-under-test.ts';
import type { Scenario } from '../scenario.ts';
import { createBenchClient, createBenchTables } from '../tables.ts';

const scenario: Scenario = {
  name: 'replay',
  what: 'events per second of a full replay against bare Queries, capacity units per event, live memory',
  async run({ dynamoDbUrl, effort, progress }) {
    const cost = await measureReplayCost(progress);
    const client = createBenchClient(await dynamoDbUrl());
    try {
      const options = { effort, progress, newTables: () => newTables(client) };
      // First: DynamoDB Local gets slower with what it holds, and the rates are compared with each other only.
      const memory = await measureReplayMemory(createDynamo(client), options);
      const rate = await measureReplayRate(client, options);
      const all = [rate, cost, memory];
      return { results: all.flatMap(({ results }) => results), broken: all.flatMap(({ broken }) => broken) };
    } finally {
      client.destroy();
    }
  },
};

async function newTables(client: ReturnType<typeof createBenchClient>): Promise<BenchTables> {
  const names = await createBenchTables(client, ALL_TABLES);
  const name = (schema: string): string => names.get(schema) as string;
  return {
    eventsTable: name('Events'),
    logTable: name('Log'),
    checkpointsTable: name('Checkpoints'),
    deadLettersTable: name('DeadLetters'),
    idempotencyTable: name('Idempotency'),
    recoveryTable: name('Recovery'),
  };
}

export default scenario;
