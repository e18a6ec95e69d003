// A small whole system with a history: streams, a log, a consumer, an archive in memory and side tables, and the restore on top.
// The archive's files and the past states are made by the local cloud's own code, from the DynamoDB stream of the table.

import { expect } from '@jest/globals';
import { hashCommit } from '../../../lib/flow/event-store/hash.ts';
import { type ExportSpan, exportFiles } from '../../../lib/local/backups/export-files.ts';
import { type Change, stateAt, type WireItem } from '../../../lib/local/backups/timeline.ts';
import type { StoredCommit } from '../../../lib/model/commit.ts';
import type { BackfillDetail } from '../../../lib/model/wake-up.ts';
import { createMemoryDynamo } from '../../../lib/platform/dynamodb/memory/index.ts';
import type { Dynamo } from '../../../lib/platform/dynamodb/port.ts';
import { EVENTS_TABLE } from '../../../lib/platform/dynamodb/schemas.ts';
import type { Objects } from '../../../lib/recovery/archive/objects.ts';
import { createArchiveRows } from '../../../lib/recovery/archive/rows.ts';
import type { RestoreAnswer } from '../../../lib/recovery/restore/answer.ts';
import { composeRestore } from '../../../lib/recovery/restore/compose.ts';
import { type PointInTime, sideTableName } from '../../../lib/recovery/restore/point-in-time.ts';
import { itemOf } from '../../../lib/recovery/restore/raw-item.ts';
import { restore } from '../../../lib/recovery/restore/restore.ts';
import { verify } from '../../../lib/recovery/verify/verify.ts';
import { type Engine, memoryEngine } from '../../support/engines.ts';
import { createSmallSystem, TABLES } from '../../support/small-system.ts';

export const INVOCATION_MS = 600_000;
const { eventsTable, logTable, checkpointsTable, recoveryTable } = TABLES;

export interface BenchOptions {
  /** Everything that the restore asks of the outside goes through it. */
  around?: <T>(what: string, call: () => Promise<T>) => Promise<T>;
  engine?: Engine;
}

export type Bench = Awaited<ReturnType<typeof createBench>>;

export async function createBench({ around = (_what, call) => call(), engine = memoryEngine }: BenchOptions = {}) {
  const system = await createSmallSystem({ engine });
  const effects: string[] = [];
  await system.addConsumer(
    { name: 'billing', eventTypes: ['Placed'], effects: 'idempotent', onPoison: 'park', maxAttempts: 1 },
    ({ streamId, metadata }) => {
      effects.push(`${streamId}@${metadata.version}`);
    },
  );
  const { clock } = system;
  const changes = async (): Promise<Change[]> =>
    (await system.streamRecords(eventsTable)).map(({ dynamodb }) => ({
      at: (dynamodb?.ApproximateCreationDateTime ?? 0) * 1_000,
      keys: dynamodb?.Keys as WireItem,
      ...(dynamodb?.NewImage && { image: dynamodb.NewImage as WireItem }),
    }));

  const bodies = new Map<string, Buffer>();
  const objects: Objects = {
    read: (key) =>
      around(`read ${key}`, async () => {
        const body = bodies.get(key);
        return (
          body &&
          (async function* () {
            // In pieces, as from S3.
            for (let at = 0; at < body.length; at += 1_000) yield body.subarray(at, at + 1_000);
          })()
        );
      }),
    write: (key, body) => around(`write ${key}`, async () => void bodies.set(key, Buffer.from(body))),
  };

  const sideTables = new Map<string, { dynamo: Dynamo; looks: number }>();
  const pointInTime: PointInTime = {
    window: () => around('window', async () => ({ earliest: 0, latest: clock.now() })),
    restore: (name, to) =>
      around('restore', async () => {
        if (sideTables.has(name)) return;
        const dynamo = createMemoryDynamo({ clock, tables: [{ ...EVENTS_TABLE, name }] });
        for (const item of stateAt(await changes(), to))
          await dynamo.put({ TableName: name, Item: itemOf(JSON.stringify(item)) });
        sideTables.set(name, { dynamo, looks: 0 });
      }),
    state: (name) =>
      around('state', async () => {
        const table = sideTables.get(name);
        if (table === undefined) return 'absent';
        table.looks += 1;
        return table.looks > 2 ? 'ready' : 'creating';
      }),
    drop: (name) => around('drop', async () => void sideTables.delete(name)),
  };
  const dynamo = new Proxy(system.dynamo, {
    get: (target, name: keyof Dynamo) => (input: { TableName?: string }) =>
      around(`dynamo ${name}`, () => {
        const engine = sideTables.get(input.TableName ?? '')?.dynamo ?? target;
        return (engine[name] as (input: unknown) => Promise<unknown>)(input);
      }),
  });

  const wakeUps: BackfillDetail[] = [];
  const deps = composeRestore({
    dynamo,
    eventsTable,
    logTable,
    checkpointsTable,
    recoveryTable,
    objects,
    pointInTime,
    continuations: { send: (detail) => around('wake-up', async () => void wakeUps.push(detail)) },
    world: system.world,
    logger: system.logger,
  });
  const time = () => {
    const endsAt = clock.now() + INVOCATION_MS;
    return { remainingMs: () => endsAt - clock.now(), requestId: 'request-1' };
  };
  const ask = async (request: object): Promise<RestoreAnswer> =>
    (await restore(deps, request, time())) as RestoreAnswer;
  /** DynamoDB Local stamps its records by the machine's clock, not by the test's. */
  const now = (): number => (engine.name === 'memory' ? clock.now() : Date.UTC(2100, 0));
  const archiveRows = createArchiveRows({ dynamo: system.dynamo, table: recoveryTable });
  let exports = 0;

  const bench = {
    system,
    deps,
    effects,
    bodies,
    sideTables,
    wakeUps,
    ask,
    sideTable: (id: string) => sideTableName(eventsTable, id),
    plan: (more: object = {}) => ask({ action: 'plan', requestedBy: 'anna', reason: 'damage', ...more }),
    apply: (planId: string | undefined, more: object = {}) =>
      ask({ action: 'apply', planId, approvedBy: 'berta', requestedBy: 'anna', reason: 'damage', ...more }),
    /** Streams with that many events, one commit each, delivered and resolved; a second between commits. */
    async fill(streams: Record<string, number>): Promise<void> {
      for (const [streamId, events] of Object.entries(streams)) {
        for (let n = 0; n < events; n += 1) {
          await system.append(streamId, ['Placed']);
          clock.advance(1_000);
        }
      }
      await system.settle();
      clock.advance(10_000);
    },
    /** A completed export of the table as it is now, or of what changed since then. */
    async archive(span: ExportSpan = { type: 'FULL_EXPORT', atMs: now() }): Promise<void> {
      exports += 1;
      const exportId = `e${exports}`;
      const facts = { exportId, exportArn: exportId, tableArn: 'arn:table', bucket: 'archive', prefix: 'archive' };
      const made = exportFiles(await changes(), { ...facts, startedAt: clock.now(), endedAt: clock.now(), span });
      for (const { key, body } of made.files) bodies.set(key, body);
      const [from, to] = span.type === 'FULL_EXPORT' ? [span.atMs, span.atMs] : [span.fromMs, span.toMs];
      const state = await archiveRows.state();
      await archiveRows.save({ ...state, coveredTo: to, updatedAt: clock.now() }, state.revision, {
        kind: span.type === 'FULL_EXPORT' ? 'full' : 'incremental',
        exportArn: exportId,
        manifestKey: made.manifestKey,
        from,
        to,
        completedAt: clock.now(),
      });
      clock.advance(5_000);
    },
    async item(streamId: string, version: number): Promise<StoredCommit> {
      const { Item } = await system.dynamo.get({ TableName: eventsTable, Key: { streamId, version } });
      return Item as StoredCommit;
    },
    async change(streamId: string, version: number, changes: object): Promise<void> {
      const Item = { ...(await bench.item(streamId, version)), streamId, version, ...changes };
      await system.dynamo.put({ TableName: eventsTable, Item });
    },
    async remove(streamId: string, ...versions: number[]): Promise<void> {
      for (const version of versions)
        await system.dynamo.delete({ TableName: eventsTable, Key: { streamId, version } });
    },
    /** Forges a commit on top of a version: an append that a store acknowledged after the stream had lost its tail. */
    async appendAt(streamId: string, version: number, events: object[], previousHash?: string): Promise<void> {
      const facts = {
        streamId,
        version,
        count: events.length,
        recordedAt: clock.now(),
        encoding: 'json',
        format: 1,
        previousHash: previousHash ?? (await bench.item(streamId, version - 1)).hash,
        events: JSON.stringify(events),
      };
      await system.dynamo.put({
        TableName: eventsTable,
        Item: { ...facts, hash: hashCommit(facts as never as StoredCommit) },
      });
    },
    /** A byte of its events flips. */
    async damage(streamId: string, version: number): Promise<void> {
      const events = String((await bench.item(streamId, version)).events).replace('Placed', 'Placet');
      await bench.change(streamId, version, { events });
    },
    openIncidents: async () => {
      const open = [];
      for await (const incident of deps.incidents.open()) open.push(incident);
      return open;
    },
    /** What every stream holds, and the log: for before and after. */
    async everything() {
      const items = await system.items(eventsTable);
      return items
        .map((item) => JSON.stringify({ ...item, events: String(item.events) }, Object.keys(item).sort()))
        .sort();
    },
    idsOf: async (streamId: string): Promise<string[]> => (await system.eventStore.read(streamId)).map(({ id }) => id),
    audits: async () =>
      (await system.items(recoveryTable)).filter(({ pk }) => String(pk).startsWith('audit#')) as unknown as {
        action: string;
        input: Record<string, unknown>;
        outcome: Record<string, unknown>;
        requestedBy: string;
        reason: string;
      }[],
    async verdict() {
      const tables = {
        events: eventsTable,
        log: logTable,
        checkpoints: checkpointsTable,
        deadLetters: TABLES.deadLettersTable,
        recovery: recoveryTable,
      };
      return verify({ dynamo: system.dynamo, tables }, { now: clock.now(), quiet: true });
    },
    async expectProved(): Promise<void> {
      const verdict = await bench.verdict();
      expect(verdict.violations).toEqual([]);
      expect(verdict.consumers[0]?.conservation).toMatchObject({ gap: 0, lagging: 0 });
    },
  };
  return bench;
}
