// The proof: re-reads store, log, directory, registry, checkpoints, dead letters and open gaps, and puts every appended event
// into exactly one box per consumer. Reads are consistent but not one snapshot: on a system with traffic, what is on its way
// is `lagging`; demand `quiet` to have none.

import type { Dynamo } from '../../platform/dynamodb/port.ts';
import type { CheckpointFacts, ConsumerFacts, Passed } from './account.ts';
import { getItem, queryItems, scanItems } from './read.ts';
import { readLog } from './read-log.ts';
import {
  type ConsumerVerdict,
  emptyConservation,
  type Verdict,
  VIOLATIONS_LISTED_MAX,
  type Violation,
} from './types.ts';
import { verifyStream } from './verify-stream.ts';

export interface VerifyTables {
  events: string;
  log: string;
  checkpoints: string;
  deadLetters: string;
  recovery: string;
}

export interface VerifyInput {
  /** Only these streams (a batch of a large verification). @default every stream of the store */
  streamIds?: readonly string[];
  /** Only these consumers. @default all active ones */
  consumers?: readonly string[];
  /** Events of streams with this prefix only. */
  streamPrefix?: string;
  /** Unresolved events younger than this are lagging, not a gap. @default 15 minutes */
  lagBoundMs?: number;
  /** Also refuse lagging events. */
  quiet?: boolean;
  /** Milliseconds since 1970, server clock. */
  now: number;
}

const LAG_BOUND_MS = 15 * 60_000;
const DRILL_STREAM_PREFIX = 'drill-';

interface RegisteredFacts extends ConsumerFacts {
  drill: boolean;
}

/**
 * @example
 * const verdict = await verify({ dynamo, tables }, { now: clock.now(), quiet: true });
 * if (!verdict.ok) console.error(verdict.violations);
 */
export async function verify(deps: { dynamo: Dynamo; tables: VerifyTables }, input: VerifyInput): Promise<Verdict> {
  const { dynamo, tables } = deps;
  const streamIds = input.streamIds ?? (await listStreams(dynamo, tables));
  const wanted = new Set(streamIds.filter((id) => id.startsWith(input.streamPrefix ?? '')));
  const log = await readLog(dynamo, tables.log, wanted);
  const registered = await readRegistry(dynamo, tables.checkpoints, input.consumers);
  const passedOf = await readDeadLetters(dynamo, tables.deadLetters, wanted);

  const books = new Map<string, ConsumerVerdict>(
    registered.map(({ name }) => [name, { consumer: name, conservation: emptyConservation(), digestsChecked: 0 }]),
  );
  const violations: Violation[] = log.violations;
  const totals = { commits: 0, events: 0 };

  for (const streamId of wanted) {
    const mine = registered.filter(({ drill }) => drill === streamId.startsWith(DRILL_STREAM_PREFIX));
    const accounts = [];
    for (const consumer of mine) {
      const checkpoint = await readCheckpoint(dynamo, tables.checkpoints, consumer.name, streamId);
      const rows = passedOf(consumer.name, streamId, checkpoint);
      violations.push(...checkParking(consumer.name, streamId, checkpoint, rows.parked));
      const gap = await getItem(dynamo, tables.recovery, { pk: `gap#${consumer.name}`, sk: streamId });
      accounts.push({
        consumer,
        checkpoint,
        passed: rows.passed,
        openGapTo: gap && Number(gap.to),
        now: input.now,
        lagBoundMs: input.lagBoundMs ?? LAG_BOUND_MS,
      });
    }
    const directory = await getItem(dynamo, tables.log, { pk: `stream#${streamId}`, sk: 'head' });
    const stream = await verifyStream(dynamo, tables.events, {
      streamId,
      sequenced: log.byStream.get(streamId) ?? [],
      directoryVersion: directory && Number(directory.version),
      accounts,
    });
    violations.push(...stream.violations);
    totals.commits += stream.commits;
    totals.events += stream.head;
    for (const { consumer, conservation, digestChecked } of stream.consumers) {
      const book = books.get(consumer) as ConsumerVerdict;
      for (const box of Object.keys(conservation) as (keyof typeof conservation)[]) {
        book.conservation[box] += conservation[box];
      }
      if (digestChecked) book.digestsChecked++;
    }
  }

  const consumers = [...books.values()];
  const incomplete = consumers.some(
    ({ conservation }) =>
      conservation.gap > 0 || (input.quiet === true && conservation.lagging > 0) || !adds(conservation),
  );
  return {
    ok: violations.length === 0 && !incomplete,
    streams: wanted.size,
    ...totals,
    logHead: log.head,
    consumers,
    violations: violations.slice(0, VIOLATIONS_LISTED_MAX),
    violationCount: violations.length,
  };
}

const adds = ({ appended, ...boxes }: ConsumerVerdict['conservation']): boolean =>
  appended === Object.values(boxes).reduce((sum, events) => sum + events, 0);

/** Every stream that store or directory know; a stream whose items all vanished is found by the directory. */
export async function listStreams(dynamo: Dynamo, tables: Pick<VerifyTables, 'events' | 'log'>): Promise<string[]> {
  const found = new Set<string>();
  for await (const { streamId } of scanItems(dynamo, tables.events, ['streamId'])) found.add(String(streamId));
  for await (const { pk, sk } of scanItems(dynamo, tables.log, ['pk', 'sk'])) {
    if (sk === 'head' && String(pk).startsWith('stream#')) found.add(String(pk).slice('stream#'.length));
  }
  return [...found].sort();
}

async function readRegistry(dynamo: Dynamo, table: string, names?: readonly string[]): Promise<RegisteredFacts[]> {
  const consumers: RegisteredFacts[] = [];
  for await (const item of queryItems(dynamo, table, { name: 'pk', value: 'registry' })) {
    const name = String(item.sk);
    if (names ? !names.includes(name) : item.status !== 'active') continue;
    consumers.push({
      name,
      eventTypes: item.eventTypes as Record<string, number>,
      startPosition: Number(item.startPosition ?? 0),
      drill: item.drill === true,
    });
  }
  return consumers;
}

interface CheckpointRead extends CheckpointFacts {
  generation: number;
  parkedDeadLetterId?: string;
}

async function readCheckpoint(
  dynamo: Dynamo,
  table: string,
  consumer: string,
  streamId: string,
): Promise<CheckpointRead | undefined> {
  const item = await getItem(dynamo, table, { pk: `${consumer}#${streamId}`, sk: 'checkpoint' });
  if (item === undefined) return undefined;
  const parked = item.parked as { version: number; deadLetterId: string } | undefined;
  return {
    version: Number(item.version),
    generation: Number(item.generation ?? 1),
    generationStart: Number(item.generationStart),
    resolvedCount: Number(item.resolvedCount),
    resolvedDigest: String(item.resolvedDigest),
    parkedVersion: parked?.version,
    parkedDeadLetterId: parked?.deadLetterId,
    leaseUntil: item.leaseUntil === undefined ? undefined : Number(item.leaseUntil),
  };
}

interface Rows {
  passed: Passed;
  /** Ids of rows that say the stream is parked. */
  parked: Set<string>;
}

async function readDeadLetters(dynamo: Dynamo, table: string, wanted: ReadonlySet<string>) {
  const rows = new Map<string, { passed: PassedRow[]; parked: Set<string> }>();
  for await (const item of scanItems(dynamo, table)) {
    const streamId = String(item.streamId);
    if (!wanted.has(streamId)) continue;
    const key = `${String(item.consumer)}#${streamId}`;
    const of = rows.get(key) ?? { passed: [], parked: new Set() };
    rows.set(key, of);
    if (item.status === 'parked') of.parked.add(String(item.id));
    const as = item.passedAs as 'skipped' | 'discarded' | undefined;
    if (as !== undefined && item.status !== 'superseded') {
      const box = item.status === 'resolved' ? 'resolved' : as;
      of.passed.push({ version: Number(item.version), generation: Number(item.generation ?? 1), as, box });
    }
  }
  return (consumer: string, streamId: string, checkpoint: CheckpointRead | undefined): Rows => {
    const of = rows.get(`${consumer}#${streamId}`);
    return { passed: passedIn(of?.passed ?? [], checkpoint), parked: of?.parked ?? new Set() };
  };
}

interface PassedRow {
  version: number;
  generation: number;
  as: 'skipped' | 'discarded';
  box: 'skipped' | 'discarded' | 'resolved';
}

/** A rewound event is judged by the rows of its new generation alone: what an earlier one passed may be resolved now. */
function passedIn(rows: readonly PassedRow[], checkpoint: CheckpointRead | undefined): Passed {
  const { generation = 1, generationStart = 0 } = checkpoint ?? {};
  const counting = rows.filter((row) => row.generation === generation || row.version <= generationStart);
  return new Map(
    counting.toSorted((a, b) => a.generation - b.generation).map(({ version, as, box }) => [version, { as, box }]),
  );
}

function checkParking(
  consumer: string,
  streamId: string,
  checkpoint: CheckpointRead | undefined,
  parked: Set<string>,
): Violation[] {
  const at = checkpoint?.parkedDeadLetterId;
  const found: Violation[] = [];
  if (at !== undefined && !parked.has(at)) {
    found.push({
      kind: 'park-without-dead-letter',
      consumer,
      streamId,
      version: checkpoint?.parkedVersion,
      detail: `parked behind ${at}, which is no parked dead letter`,
    });
  }
  for (const id of parked) {
    if (id !== at)
      found.push({
        kind: 'dead-letter-without-park',
        consumer,
        streamId,
        detail: `dead letter ${id} says parked, the checkpoint does not`,
      });
  }
  return found;
}
