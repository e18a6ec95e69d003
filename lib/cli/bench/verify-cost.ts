// What a verification reads and computes per stream, in batches: of 10,000 streams and of 100,000, on the memory engine, which
// counts units as AWS does. Per stream it must be about the same: only the log is read once more by every batch.

import { foldDigest, GENESIS_DIGEST } from '../../flow/checkpoint/digest.ts';
import { createRegistry } from '../../flow/registry/registry.ts';
import { CHECKPOINT_FORMAT } from '../../model/checkpoint.ts';
import { countUnits } from '../../platform/dynamodb/count-units.ts';
import { createMemoryDynamo } from '../../platform/dynamodb/memory/index.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import { ALL_TABLES } from '../../platform/dynamodb/schemas.ts';
import { createWorld } from '../../platform/world.ts';
import { BATCH_BOUNDS } from '../../recovery/verify/batches.ts';
import {
  addUpVerification,
  splitVerification,
  type VerificationDeps,
  verifyBatch,
} from '../../recovery/verify/verification.ts';
import { fillHistory } from './fill-history.ts';
import type { BenchResult, ScenarioOutcome } from './scenario.ts';

/** 10,000 are one batch. */
const SIZES = [10_000, 100_000] as const;
const CONSUMERS = ['billing', 'inventory', 'notification'];
const HISTORY = { commits: 2, events: 2 };
const TABLES = {
  events: 'Events',
  log: 'Log',
  checkpoints: 'Checkpoints',
  deadLetters: 'DeadLetters',
  recovery: 'Recovery',
};
/** More than this between the two sizes, and the cost grows faster than the store. */
const GROWTH_MAX = 1.2;

interface VerifyCost {
  batches: number;
  requests: number;
  units: number;
  cpuMs: number;
  /** In the bucket, while the verification runs. */
  fileBytes: number;
}

export async function measureVerifyCost(
  progress: (line: string) => void,
  sizes: readonly [number, number] = SIZES,
  batchStreams = BATCH_BOUNDS.streams,
): Promise<ScenarioOutcome> {
  const results: BenchResult[] = [];
  const costs: VerifyCost[] = [];
  for (const streams of sizes) {
    progress(`verification of ${streams} streams`);
    const cost = await costOfVerification(streams, batchStreams);
    costs.push(cost);
    const metric = `verification of ${streams.toLocaleString('en')} streams, ${CONSUMERS.length} consumers`;
    const figure = (unit: string, value: number): BenchResult => ({
      scenario: 'verify',
      subject: 'ours',
      metric,
      unit,
      value,
    });
    results.push(
      figure('batches', cost.batches),
      figure('requests per stream', cost.requests / streams),
      figure('RCU per stream', cost.units / streams),
      figure('CPU ms per stream', cost.cpuMs / streams),
      figure('file bytes per stream', cost.fileBytes / streams),
    );
  }
  const [few, many] = costs as [VerifyCost, VerifyCost];
  const [fewStreams, manyStreams] = sizes;
  const broken = (['requests', 'units'] as const).flatMap((what) => {
    const growth = many[what] / manyStreams / (few[what] / fewStreams);
    return growth > GROWTH_MAX
      ? [`${what} per stream are ${growth.toFixed(2)} times as many when there are more streams`]
      : [];
  });
  return { results, broken };
}

async function costOfVerification(streams: number, batchStreams: number): Promise<VerifyCost> {
  const world = createWorld();
  const memory = createMemoryDynamo({ clock: world.clock, tables: ALL_TABLES });
  await fill(memory, streams);
  const { dynamo, take } = countUnits(memory);
  const files = new Map<string, string>();
  const deps: VerificationDeps = {
    dynamo,
    tables: TABLES,
    ids: world.ids,
    bounds: { ...BATCH_BOUNDS, streams: batchStreams },
    files: {
      write: async (key, content) => void files.set(key, JSON.stringify(content)),
      read: async (key) => JSON.parse(files.get(key) ?? 'null') as unknown,
    },
  };
  const since = process.cpuUsage();
  const split = await splitVerification(deps, { now: world.clock.now() });
  const batches = 'batches' in split ? split.batches : [];
  for (const batch of batches) await verifyBatch(deps, { run: 'run' in split ? split.run : '', batch });
  const verdict = 'run' in split ? (await addUpVerification(deps, split)).verdict : split;
  const { user, system } = process.cpuUsage(since);
  const events = streams * HISTORY.commits * HISTORY.events;
  const isWhole = verdict.consumers.every(({ conservation }) => conservation.resolved === events);
  if (!verdict.ok || !isWhole) throw new Error('the verification did not account for every event');
  const { requests, read: units } = take();
  const fileBytes = [...files.values()].reduce((sum, text) => sum + text.length, 0);
  return { batches: Math.max(1, batches.length), requests, units, cpuMs: (user + system) / 1_000, fileBytes };
}

/** Every event is resolved for every consumer. */
async function fill(dynamo: Dynamo, streams: number): Promise<void> {
  const registry = createRegistry({ dynamo, checkpointsTable: TABLES.checkpoints });
  for (const name of CONSUMERS) {
    const declaration = { name, eventTypes: ['OrderPlaced'], effects: 'idempotent' } as const;
    const registration = { declaration, queueUrl: 'queue', functionName: name, owner: 'bench' };
    await registry.register(registration, 0 as never, 0);
  }
  const digests = new Map<string, string>();
  const tables = { eventsTable: TABLES.events, logTable: TABLES.log };
  await fillHistory(dynamo, tables, { streams, ...HISTORY }, ({ streamId, version, count, hash }) => {
    let digest = digests.get(streamId) ?? GENESIS_DIGEST;
    for (let at = version; at < version + count; at += 1) digest = foldDigest(digest, at, hash, 'resolved');
    digests.set(streamId, digest);
  });
  const version = HISTORY.commits * HISTORY.events;
  const resolved = { version, wanted: version, resolvedCount: version, generation: 1, generationStart: 0 };
  for (const [streamId, resolvedDigest] of digests) {
    for (const name of CONSUMERS) {
      const Item = { pk: `${name}#${streamId}`, sk: 'checkpoint', ...resolved, resolvedDigest, token: 1, updatedAt: 1 };
      await dynamo.put({ TableName: TABLES.checkpoints, Item: { ...Item, format: CHECKPOINT_FORMAT } });
    }
  }
}
