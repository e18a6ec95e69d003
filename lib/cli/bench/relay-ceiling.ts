// How much one log partition takes: relays that always have a batch, on the memory engine with latency around each request,
// half of it before the request takes effect and half after. So the figure shows the protocol: one transaction after the
// other on one head. At 20 ms no protocol of this kind can write more than 50 pages a second.

import { RELAY_METRICS } from '../../flow/relay/dependencies.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import { createWorld } from '../../platform/world.ts';
import { createRecordSource } from './relay-records.ts';
import { createRelays, relay } from './relay-under-test.ts';
import type { BenchResult } from './scenario.ts';

const LATENCY_MS = 20;
const DURATION_MS = 5_000;
/** A full page of different streams, and the smallest batch. */
const BATCH_SIZES = [99, 1];
const RELAYS = [1, 4, 16];

export async function measureCeiling(effort: number, progress: (line: string) => void): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  for (const batch of BATCH_SIZES) {
    for (const count of RELAYS) {
      progress(`ceiling with ${count} relays, batches of ${batch}, ${LATENCY_MS} ms latency`);
      results.push(...(await measure(count, batch, DURATION_MS * effort)));
    }
  }
  return results;
}

async function measure(count: number, batch: number, durationMs: number): Promise<BenchResult[]> {
  const world = createWorld();
  const half = () => world.timers.sleep(LATENCY_MS / 2);
  const { relays, metrics } = createRelays(world, count, (dynamo) => withLatency(dynamo, half));
  const startedAt = world.clock.now();
  await Promise.all(
    relays.map(async (one, index) => {
      const records = createRecordSource(index, batch);
      while (world.clock.now() - startedAt < durationMs) {
        const next = records(batch);
        while (!(await relay(one, next)));
      }
    }),
  );
  const seconds = (world.clock.now() - startedAt) / 1_000;
  const pages = metrics.values.filter(({ name }) => name === RELAY_METRICS.headBusyMs).length;
  const figure = (metric: string, unit: string, value: number): BenchResult => ({
    scenario: 'relay',
    subject: 'ours',
    metric: `${metric}, ${count} relays, batches of ${batch}, ${LATENCY_MS} ms latency`,
    unit,
    value,
  });
  return [
    figure('ceiling of one log partition', 'commits/s', metrics.total(RELAY_METRICS.commitsSequenced) / seconds),
    figure('pages', 'pages/s', pages / seconds),
    figure('races lost', 'per page', metrics.total(RELAY_METRICS.racesLost) / pages),
  ];
}

function withLatency(dynamo: Dynamo, half: () => Promise<void>): Dynamo {
  const slow =
    <Input, Output>(call: (input: Input) => Promise<Output>) =>
    async (input: Input): Promise<Output> => {
      await half();
      try {
        return await call(input);
      } finally {
        await half();
      }
    };
  return {
    get: slow(dynamo.get),
    put: slow(dynamo.put),
    update: slow(dynamo.update),
    delete: slow(dynamo.delete),
    query: slow(dynamo.query),
    scan: slow(dynamo.scan),
    batchGet: slow(dynamo.batchGet),
    batchWrite: slow(dynamo.batchWrite),
    transactWrite: slow(dynamo.transactWrite),
  };
}
