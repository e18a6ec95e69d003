// A relay with everything around it: real log, incidents, backfills and store reads on the memory engine; a bus and
// continuations that remember what was said; commits with real hashes, sound or damaged.

import { brotliCompressSync } from 'node:zlib';
import { encodeEvents } from '../../../lib/flow/event-store/coding.ts';
import { hashCommit, verifyCommit } from '../../../lib/flow/event-store/hash.ts';
import { createLog } from '../../../lib/flow/log/log.ts';
import type { LogEntry } from '../../../lib/flow/log/port.ts';
import { createBackfills } from '../../../lib/flow/relay/backfills.ts';
import type { RelayDependencies } from '../../../lib/flow/relay/dependencies.ts';
import { createIncidents } from '../../../lib/flow/relay/incidents.ts';
import type { Bus, BusEntry, Incident } from '../../../lib/flow/relay/port.ts';
import { createRelay } from '../../../lib/flow/relay/relay.ts';
import { createStoredCommits } from '../../../lib/flow/relay/stored-commits.ts';
import { COMMIT_FORMAT, GENESIS_HASH, type StoredCommit } from '../../../lib/model/commit.ts';
import type { EventId, EventType, StreamId, Version } from '../../../lib/model/ids.ts';
import type { BackfillDetail } from '../../../lib/model/wake-up.ts';
import type { Dynamo } from '../../../lib/platform/dynamodb/port.ts';
import { EVENTS_TABLE, LOG_TABLE } from '../../../lib/platform/dynamodb/schemas.ts';
import { recordingLogger } from '../../../lib/platform/logging.ts';
import { recordingMetrics } from '../../../lib/platform/metrics.ts';
import { type Engine, memoryEngine } from '../../support/engines.ts';
import { createTestWorld } from '../../support/world.ts';

export const RECORDED_AT = 1_700_000_000_000;
export const id = (text: string): StreamId => text as StreamId;

/** A commit with a sound hash. `types` = one event each. */
export function commit(
  streamId: string,
  version: number,
  previousHash: string,
  options: { types?: string[]; data?: unknown; recordedAt?: number; mark?: string } = {},
): StoredCommit {
  const { types = ['Happened'], data = { n: version }, mark = '' } = options;
  const events = encodeEvents(
    types.map((type, index) => ({
      id: `${streamId}-${version + index}${mark}` as EventId,
      type: type as EventType,
      data: data as never,
      correlationId: `correlation-${streamId}`,
    })),
  );
  const whole: Omit<StoredCommit, 'hash'> = {
    streamId: id(streamId),
    version: version as Version,
    count: types.length,
    events,
    encoding: 'json',
    format: COMMIT_FORMAT,
    recordedAt: options.recordedAt ?? RECORDED_AT + version,
    previousHash,
  };
  return { ...whole, hash: hashCommit(whole) };
}

/** A sound stream: one commit per element, which is its number of events, or its events' types. */
export function stream(
  streamId: string,
  commits: readonly (number | string[])[],
  options: Parameters<typeof commit>[3] = {},
): StoredCommit[] {
  const made: StoredCommit[] = [];
  let version = 1;
  let previousHash = GENESIS_HASH;
  for (const content of commits) {
    const types = typeof content === 'number' ? Array.from({ length: content }, () => 'Happened') : content;
    const next = commit(streamId, version, previousHash, { ...options, types });
    made.push(next);
    version += types.length;
    previousHash = next.hash;
  }
  return made;
}

/** A sound stream of one event each, its events stored as Brotli bytes. */
export function compressedStream(streamId: string, count: number): StoredCommit[] {
  const made: StoredCommit[] = [];
  for (let version = 1; version <= count; version += 1) {
    const { hash: _, ...plain } = commit(streamId, version, made.at(-1)?.hash ?? GENESIS_HASH);
    const events = new Uint8Array(brotliCompressSync(plain.events as string));
    const whole = { ...plain, encoding: 'br' as const, events };
    made.push({ ...whole, hash: hashCommit(whole) });
  }
  return made;
}

export const ones = (count: number): number[] => Array.from({ length: count }, () => 1);

/** A bus that remembers. `refuse` says which entries it refuses at this publish. */
export function rememberingBus() {
  const published: BusEntry[] = [];
  const bus: Bus & { published: BusEntry[]; refuse: (entry: BusEntry) => boolean } = {
    published,
    refuse: () => false,
    async publish(entries) {
      const failed = entries.filter((entry) => bus.refuse(entry));
      published.push(...entries.filter((entry) => !failed.includes(entry)));
      return { failed: failed.map((entry) => ({ entry, code: 'InternalException', message: 'refused' })) };
    },
  };
  return bus;
}

export async function openRelay(
  options: {
    engine?: Engine;
    limits?: RelayDependencies['limits'];
    wrap?: (dynamo: Dynamo) => Dynamo;
    tables?: Awaited<ReturnType<Engine['createTables']>>;
    seed?: number;
  } = {},
) {
  const tables = options.tables ?? (await (options.engine ?? memoryEngine).createTables([EVENTS_TABLE, LOG_TABLE]));
  const world = options.tables === undefined ? tables.world : createTestWorld({ seed: options.seed ?? 2 });
  const dynamo = (options.wrap ?? ((plain) => plain))(tables.dynamo);
  const logTable = LOG_TABLE.name;
  const bus = rememberingBus();
  const continued: BackfillDetail[] = [];
  const logger = recordingLogger();
  const metrics = recordingMetrics();
  const dependencies: RelayDependencies = {
    log: createLog({ dynamo, logTable, world }),
    source: createStoredCommits({ dynamo, eventsTable: EVENTS_TABLE.name, world }),
    verify: verifyCommit,
    bus,
    incidents: createIncidents({ dynamo, logTable, world }),
    backfills: createBackfills({ dynamo, logTable, world }),
    continuations: {
      send: async (detail) => {
        continued.push(detail);
      },
    },
    world,
    logger,
    metrics,
    limits: options.limits,
  };
  let remainingMs = 60_000;
  const relay = createRelay(dependencies);
  return {
    tables,
    world,
    bus,
    continued,
    logger,
    metrics,
    dependencies,
    relay,
    setRemainingMs: (ms: number) => {
      remainingMs = ms;
    },
    store: async (commits: readonly StoredCommit[]) => {
      for (const Item of commits) await tables.dynamo.put({ TableName: EVENTS_TABLE.name, Item });
    },
    /** What the DynamoDB stream has said so far, oldest first. */
    records: () => tables.streamRecords(EVENTS_TABLE.name),
    batch: (records: readonly unknown[]) => relay.relayBatch(records, { remainingMs: () => remainingMs }),
    goOn: (detail: BackfillDetail) => relay.continueBackfill(detail, { remainingMs: () => remainingMs }),
    entries: async (): Promise<LogEntry[]> => {
      const all: LogEntry[] = [];
      for await (const page of dependencies.log.pages(0)) all.push(...page.entries);
      return all;
    },
    sequenced: async (streamId: string) =>
      (await dependencies.log.directory([id(streamId)])).get(id(streamId))?.version,
    incidents: async (): Promise<Incident[]> => {
      const all: Incident[] = [];
      for await (const incident of dependencies.incidents.open()) all.push(incident);
      return all;
    },
    events: () => bus.published.flatMap((entry) => (entry.kind === 'event' ? [entry.detail] : [])),
    moved: () => bus.published.flatMap((entry) => (entry.kind === 'stream-moved' ? [entry.detail] : [])),
  };
}

/** A commit as Lambda delivers it. */
export function record(stored: StoredCommit, sequence: number, eventName = 'INSERT') {
  const { streamId, version } = stored;
  const image = Object.fromEntries(
    Object.entries(stored).map(([name, value]) => [
      name,
      typeof value === 'number'
        ? { N: String(value) }
        : typeof value === 'string'
          ? { S: value }
          : { B: Buffer.from(value).toString('base64') },
    ]),
  );
  return {
    eventID: `event-${sequence}`,
    eventName,
    dynamodb: {
      Keys: { streamId: { S: streamId }, version: { N: String(version) } },
      NewImage: image,
      SequenceNumber: String(sequence).padStart(21, '0'),
    },
  };
}
