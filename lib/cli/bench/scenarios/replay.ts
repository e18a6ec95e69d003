// Benchmark `replay`: a full replay with a react that does nothing, against bare paged Queries of the same streams, what it
// consumes per event, and what it holds in memory.

import { startDynamoDb } from '../../../local/engines/dynamodb.ts';
import { createDynamo } from '../../../platform/dynamodb/client.ts';
import { ALL_TABLES } from '../../../platform/dynamodb/schemas.ts';
import { measureReplayCost } from '../replay-cost.ts';
import { measureReplayMemory } from '../replay-memory.ts';
import { measureReplayRate } from '../replay-rate.ts';
import type { BenchTables, WithDatabase } from '../replay-under-test.ts';
import type { Scenario } from '../scenario.ts';
import { createBenchClient, createBenchTables } from '../tables.ts';

const scenario: Scenario = {
  name: 'replay',
  what: 'events per second of a full replay against bare Queries, capacity units per event, live memory',
  async run({ effort, progress }) {
    const cost = await measureReplayCost(progress);
    const memory = await measureReplayMemory({ effort, progress, withDatabase });
    const rate = await measureReplayRate({ effort, progress, withDatabase });
    const all = [rate, cost, memory];
    return { results: all.flatMap(({ results }) => results), broken: all.flatMap(({ broken }) => broken) };
  },
};

const withDatabase: WithDatabase = async (work) => {
  const engine = await startDynamoDb();
  const client = createBenchClient(engine.url);
  try {
    return await work(createDynamo(client), await newTables(client));
  } finally {
    client.destroy();
    await engine.stop();
  }
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
