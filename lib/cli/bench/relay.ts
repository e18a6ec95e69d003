// Benchmark `relay`: what sequencing costs per commit, and how much one log partition takes. Units are computed from the
// items of each transaction, 2 x ceil(KB) each (Developer Guide, "DynamoDB transactions": two writes of every item), because
// DynamoDB Local reports too little. The ceiling runs on the memory engine with 20 ms of latency around each request, half
// before it takes effect and half after, so that it shows the protocol and not the machine.

import { hashCommit } from '../../flow/event-store/hash.ts';
import { composeRelay } from '../../flow/relay/compose.ts';
import { RELAY_METRICS } from '../../flow/relay/dependencies.ts';
import { createRelay, type Relay } from '../../flow/relay/relay.ts';
import { COMMIT_FORMAT, GENESIS_HASH, type StoredCommit } from '../../model/commit.ts';
import type { StreamId, Version } from '../../model/ids.ts';
import type { World } from '../../platform/clock.ts';
import { createMemoryDynamo } from '../../platform/dynamodb/memory/index.ts';
import { itemSize } from '../../platform/dynamodb/memory/size.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import { EVENTS_TABLE, LOG_TABLE } from '../../platform/dynamodb/schemas.ts';
import { silentLogger } from '../../platform/logging.ts';
import { recordingMetrics } from '../../platform/metrics.ts';
import { createWorld } from '../../platform/world.ts';

export interface BenchResult {
  scenario: string;
  subject: string;
  metric: string;
  unit: string;
  value: number;
  ratioToLimit?: number;
}

export interface RelayBenchOptions {
  /** How long each ceiling is measured. @default 5 s */
  ceilingMs?: number;
  /** @default 20 ms */
  latencyMs?: number;
  progress?: (line: string) => void;
}

/** Limits of issue 2: extra write units per commit, uncontended, ids up to 48 bytes. */
const LIMIT_OWN_STREAMS = 2.3;
const LIMIT_FEW_STREAMS = 0.3;
const ID_BYTES = 48;

export async function benchRelay(options: RelayBenchOptions = {}): Promise<BenchResult[]> {
  const { ceilingMs = 5_000, latencyMs = 20, progress = () => undefined } = options;
  const results: BenchResult[] = [];
  for (const { name, streams, commits, limit } of [
    { name: '99 commits of 99 streams', streams: 99, commits: 99, limit: LIMIT_OWN_STREAMS },
    { name: '100 commits of 5 streams', streams: 5, commits: 100, limit: LIMIT_FEW_STREAMS },
    { name: '1 commit', streams: 1, commits: 1, limit: undefined },
  ]) {
    progress(`relay: cost of ${name}`);
    const value = await unitsPerCommit(streams, commits);
    const metric = `write units per commit, batch of ${name}`;
    const common = { scenario: 'relay', subject: 'ours', metric, unit: 'WCU', value };
    results.push(limit === undefined ? common : { ...common, ratioToLimit: value / limit });
    if (limit !== undefined) results.push({ ...common, subject: 'limit', value: limit });
  }
  for (const batch of [99, 1]) {
    for (const relays of [1, 4, 16]) {
      progress(`relay: ceiling with ${relays} relays, batches of ${batch}, ${latencyMs} ms latency`);
      results.push(...(await ceiling({ relays, batch, ceilingMs, latencyMs })));
    }
  }
  return results;
}

/** Batches after the first: streams exist, versions and positions have grown. */
const COST_ROUNDS = 20;

async function unitsPerCommit(streams: number, commits: number): Promise<number> {
  let units = 0;
  const { relay, records } = bench(createWorld(), (dynamo) => ({
    ...dynamo,
    transactWrite: (input) => {
      for (const { Put } of input.TransactItems ?? []) {
        units += 2 * Math.ceil(itemSize(Put?.Item as Parameters<typeof itemSize>[0]) / 1_024);
      }
      return dynamo.transactWrite(input);
    },
  }));
  const source = records(0, streams);
  for (let round = 0; round < COST_ROUNDS; round += 1) await relayAll(relay, source(commits));
  return units / (COST_ROUNDS * commits);
}

async function ceiling(input: { relays: number; batch: number; ceilingMs: number; latencyMs: number }) {
  const { relays, batch, ceilingMs, latencyMs } = input;
  const world = createWorld();
  const half = () => world.timers.sleep(latencyMs / 2);
  const { relay, records, metrics } = bench(world, (dynamo) => slowed(dynamo, half), relays);
  const startedAt = world.clock.now();
  const isOver = () => world.clock.now() - startedAt >= ceilingMs;
  await Promise.all(
    relay.map(async (one, index) => {
      const source = records(index, batch);
      while (!isOver()) await relayAll([one], source(batch));
    }),
  );
  const seconds = (world.clock.now() - startedAt) / 1_000;
  const pages = metrics.values.filter(({ name }) => name === RELAY_METRICS.headBusyMs).length;
  const named = (metric: string, unit: string, value: number): BenchResult => ({
    scenario: 'relay',
    subject: 'ours',
    metric: `${metric}, ${relays} relays, batches of ${batch}, ${latencyMs} ms latency`,
    unit,
    value,
  });
  return [
    named('ceiling of one log partition', 'commits/s', metrics.total(RELAY_METRICS.commitsSequenced) / seconds),
    named('pages', 'pages/s', pages / seconds),
    named('lost races', 'per page', metrics.total(RELAY_METRICS.racesLost) / pages),
  ];
}

export const slowed = (dynamo: Dynamo, half: () => Promise<void>): Dynamo => {
  const slow =
    <Input, Output>(call: (input: Input) => Promise<Output>) =>
    async (input: Input): Promise<Output> => {
      await half();
      const answer = await call(input).then(
        (output) => ({ output }),
        (error: unknown) => ({ error }),
      );
      await half();
      if ('error' in answer) throw answer.error;
      return answer.output;
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
};

function bench(world: World, wrap: (dynamo: Dynamo) => Dynamo, relays = 1) {
  const dynamo = wrap(createMemoryDynamo({ clock: world.clock, tables: [EVENTS_TABLE, LOG_TABLE] }));
  const metrics = recordingMetrics();
  const relay = Array.from({ length: relays }, () =>
    createRelay(
      composeRelay({
        dynamo,
        eventsTable: EVENTS_TABLE.name,
        logTable: LOG_TABLE.name,
        world,
        logger: silentLogger,
        metrics,
        // Publishing is not part of the ceiling: it runs beside the sequencing of other relays.
        publish: { bus: { publish: async () => ({ failed: [] }) }, continuations: { send: async () => undefined } },
      }),
    ),
  );
  return { relay, metrics, records: (reader: number, streams: number) => recordSource(reader, streams) };
}

async function relayAll(relays: readonly Relay[], records: readonly unknown[]): Promise<void> {
  for (const relay of relays) {
    const { failures } = await relay.relayBatch(records, { remainingMs: () => 60_000 });
    if (failures.length > 0) throw new Error(`the benchmark's batch failed: ${failures[0]?.message}`);
  }
}

/** Sound records of its own streams, round robin; each call goes on where the last one ended. */
export function recordSource(reader: number, streams: number): (count: number) => unknown[] {
  const heads = Array.from({ length: streams }, () => ({ version: 0, hash: GENESIS_HASH }));
  let next = 0;
  return (count) =>
    Array.from({ length: count }, () => {
      const index = next % streams;
      next += 1;
      const head = heads[index] as { version: number; hash: string };
      const stored = oneEvent(`bench-${reader}-${index}-`.padEnd(ID_BYTES, 'x'), head.version + 1, head.hash);
      heads[index] = { version: stored.version, hash: stored.hash };
      return recordOf(stored, next);
    });
}

function oneEvent(streamId: string, version: number, previousHash: string): StoredCommit {
  const whole: Omit<StoredCommit, 'hash'> = {
    streamId: streamId as StreamId,
    version: version as Version,
    count: 1,
    events: JSON.stringify([{ id: `${version}`, type: 'OrderPlaced', data: { sku: 'A1', quantity: 2 } }]),
    encoding: 'json',
    format: COMMIT_FORMAT,
    recordedAt: 1_767_225_600_000 + version,
    previousHash,
  };
  return { ...whole, hash: hashCommit(whole) };
}

const recordOf = (stored: StoredCommit, sequence: number) => ({
  eventName: 'INSERT',
  dynamodb: {
    Keys: { streamId: { S: stored.streamId }, version: { N: String(stored.version) } },
    NewImage: Object.fromEntries(
      Object.entries(stored).map(([name, value]) => [
        name,
        typeof value === 'number' ? { N: String(value) } : { S: value },
      ]),
    ),
    SequenceNumber: String(sequence).padStart(21, '0'),
  },
});
