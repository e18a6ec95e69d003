// What a gap scan reads when 100 streams moved since the last one: of 1,000 streams and of 100,000. It must be the same: the cost grows
// with what moved, not with what exists. On the memory engine, which counts units as AWS does.

import { GENESIS_DIGEST } from '../../flow/checkpoint/digest.ts';
import { createLog } from '../../flow/log/log.ts';
import { PAGE_MAX_STREAMS } from '../../flow/log/pages.ts';
import { createRegistry } from '../../flow/registry/registry.ts';
import { CHECKPOINT_FORMAT } from '../../model/checkpoint.ts';
import type { StreamId, Version } from '../../model/ids.ts';
import { countUnits } from '../../platform/dynamodb/count-units.ts';
import { createMemoryDynamo } from '../../platform/dynamodb/memory/index.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import { ALL_TABLES } from '../../platform/dynamodb/schemas.ts';
import { silentLogger } from '../../platform/logging.ts';
import { silentMetrics } from '../../platform/metrics.ts';
import { createWorld } from '../../platform/world.ts';
import { composeScan } from '../../recovery/gap/compose.ts';
import { MAX_STREAMS, scanInput } from '../../recovery/gap/request.ts';
import { scanGaps } from '../../recovery/gap/scan.ts';
import type { BenchResult, ScenarioOutcome } from './scenario.ts';

const SIZES = [1_000, 100_000] as const;
const MOVED = 100;
/** Ten thousand streams are looked at in one scan: so many scans get through the first pass. */
const FIRST_SCANS_MAX = Math.ceil(Math.max(...SIZES) / MAX_STREAMS) + 2;
/** More than the scan's grace. */
const LATER_MS = 120_000;
const CONSUMER = 'bench';
/** More than this between the two sizes, and the cost grows with what exists. */
const GROWTH_MAX = 1.1;

interface ScanCost {
  /** Reads and the few writes of the scan's own state. */
  requests: number;
  /** Read units. */
  units: number;
}

export async function measureScanCost(
  progress: (line: string) => void,
  sizes: readonly [number, number] = SIZES,
): Promise<ScenarioOutcome> {
  const results: BenchResult[] = [];
  const costs: ScanCost[] = [];
  for (const streams of sizes) {
    progress(`scan of ${MOVED} moved streams of ${streams}`);
    const cost = await costOfScan(streams);
    costs.push(cost);
    const metric = `gap scan, ${MOVED} of ${streams.toLocaleString('en')} streams moved`;
    results.push(
      { scenario: 'scan', subject: 'ours', metric, unit: 'requests', value: cost.requests },
      { scenario: 'scan', subject: 'ours', metric, unit: 'RCU', value: cost.units },
    );
  }
  const [few, many] = costs as [ScanCost, ScanCost];
  const growth = many.units / few.units;
  const isGrowing = growth > GROWTH_MAX || many.requests > few.requests * GROWTH_MAX;
  const broken = isGrowing ? [`a scan reads ${growth.toFixed(2)} times as much when more streams exist`] : [];
  return { results, broken };
}

async function costOfScan(streams: number): Promise<ScanCost> {
  let now = Date.UTC(2026, 0, 1);
  const world = { ...createWorld(), clock: { now: () => now } };
  const memory = createMemoryDynamo({ clock: world.clock, tables: ALL_TABLES });
  const { dynamo, take } = countUnits(memory);
  const log = createLog({ dynamo: memory, logTable: 'Log', world });
  const streamIds = Array.from({ length: streams }, (_, index) => `order-${index}` as StreamId);
  const declaration = { name: CONSUMER, eventTypes: ['OrderPlaced'], effects: 'idempotent' } as const;
  const registration = { declaration, queueUrl: 'queue', functionName: CONSUMER, owner: 'bench' };
  await createRegistry({ dynamo: memory, checkpointsTable: 'Checkpoints' }).register(registration, 0 as never, now);
  const scan = composeScan({
    dynamo,
    eventsTable: 'Events',
    deployment: 'bench',
    logTable: 'Log',
    checkpointsTable: 'Checkpoints',
    recoveryTable: 'Recovery',
    wakeUps: { send: async () => undefined },
    queues: { messages: async () => 0 },
    logLag: { measure: async () => 0 },
    announcements: { gapsFound: async () => undefined },
    world,
    logger: silentLogger,
    metrics: silentMetrics,
  });
  const scanOnce = async () => {
    const outcome = await scanGaps(scan, scanInput({}, 10 * 60_000));
    if (outcome.kind !== 'scanned') throw new Error('another scan is at work');
    return outcome.result;
  };

  await move(memory, log, streamIds, 1, now);
  now += LATER_MS;
  for (let scans = 0; !(await scanOnce()).reachedHead; scans += 1) {
    if (scans === FIRST_SCANS_MAX) throw new Error('the first pass does not end');
  }
  await move(memory, log, streamIds.slice(0, MOVED), 2, now);
  now += LATER_MS;
  take();
  const result = await scanOnce();
  const { resolved, gaps } = result.consumers[0] ?? {};
  if (resolved !== MOVED || gaps !== 0) throw new Error(`the scan looked at ${resolved} streams, ${gaps} of them gaps`);
  const { requests, read: units } = take();
  return { requests, units };
}

/** Each stream gets a commit of one event with this version, and a checkpoint that has resolved it. */
async function move(
  dynamo: Dynamo,
  log: ReturnType<typeof createLog>,
  streamIds: readonly StreamId[],
  version: number,
  now: number,
): Promise<void> {
  for (let at = 0; at < streamIds.length; at += PAGE_MAX_STREAMS) {
    const page = streamIds.slice(at, at + PAGE_MAX_STREAMS);
    const entry = {
      version: version as Version,
      count: 1,
      recordedAt: now,
      types: ['OrderPlaced'],
      hashPrefix: '0'.repeat(16),
    };
    const entries = page.map((streamId) => ({ streamId, ...entry }));
    const [head, expected] = [await log.head({ cached: true }), await log.directory(page)];
    const { kind } = await log.sequence({ head, entries, expected, sequencedAt: now });
    if (kind !== 'sequenced') throw new Error('another relay is at work');
    for (const streamId of page) {
      const resolved = {
        version,
        generation: 1,
        generationStart: 0,
        resolvedCount: version,
        resolvedDigest: GENESIS_DIGEST,
      };
      const Item = { pk: `${CONSUMER}#${streamId}`, sk: 'checkpoint', ...resolved, wanted: version, token: 1 };
      await dynamo.put({ TableName: 'Checkpoints', Item: { ...Item, updatedAt: now, format: CHECKPOINT_FORMAT } });
    }
  }
}
