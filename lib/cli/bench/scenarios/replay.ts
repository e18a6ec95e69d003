// Benchmark `replay`: a full replay with a react that does nothing, against bare paged Queries of the same streams, and what it
// consumes per event.

import { ALL_TABLES } from '../../../platform/dynamodb/schemas.ts';
import { measureReplayCost } from '../replay-cost.ts';
import { measureReplayRate } from '../replay-rate.ts';
import type { BenchTables } from '../replay-under-test.ts';
import type { Scenario } from '../scenario.ts';
import { createBenchClient, createBenchTables } from '../tables.ts';

const scenario: Scenario = {
  name: 'replay',
  what: 'events per second of a full replay against bare Queries, and capacity units per event',
  async run({ dynamoDbUrl, effort, progress }) {
    const cost = await measureReplayCost(progress);
    const client = createBenchClient(await dynamoDbUrl());
    try {
      const rate = await measureReplayRate(client, { effort, progress, newTables: () => newTables(client) });
      return { results: [...rate.results, ...cost.results], broken: [...rate.broken, ...cost.broken] };
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
