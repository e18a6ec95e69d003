// The gap scan: looks at the open-gap rows and at the streams that moved, answers per consumer and stream, records what is
// owed, and wakes the consumer for every gap. Its position advances only past streams that are resolved, parked (the un-park
// opens a row) or recorded as open: what it could not repair it sees again.

import type { Checkpoints } from '../../flow/checkpoint/port.ts';
import type { WakeUps } from '../../flow/consumer/port.ts';
import type { Log } from '../../flow/log/port.ts';
import type { Registry } from '../../flow/registry/port.ts';
import type { Checkpoint } from '../../model/checkpoint.ts';
import type { RegisteredConsumer } from '../../model/consumer.ts';
import type { Position, StreamId, Version } from '../../model/ids.ts';
import { WAKE_UP_FORMAT } from '../../model/wake-up.ts';
import type { World } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logging.ts';
import type { Metrics } from '../../platform/metrics.ts';
import type { Leases } from '../lease/leases.ts';
import { decideStream, type OwedEvents, type ScanBounds, type StreamAnswer } from './decide-stream.ts';
import { movedStreams } from './moved-streams.ts';
import type { OpenGap, OpenGaps } from './open-gaps.ts';
import { type ConsumerScan, type Gap, LISTED_MAX, type LogLag, type QueueSigns, type ScanResult } from './port.ts';
import type { ScanStates } from './scan-state.ts';

export interface ScanDeps {
  registry: Pick<Registry, 'list'>;
  log: Pick<Log, 'pages'>;
  checkpoints: Pick<Checkpoints, 'getMany'>;
  openGaps: OpenGaps;
  states: ScanStates;
  leases: Leases;
  wakeUps: WakeUps;
  queues: QueueSigns;
  logLag: LogLag;
  /** `clock` = the server clock: leases of consumers are compared with it. */
  world: Pick<World, 'clock' | 'ids'>;
  logger: Logger;
  metrics: Metrics;
}

export interface ScanInput {
  bounds: ScanBounds;
  /** Above this lag of the log the answer "no gaps" is `unknown`. */
  logLagBoundMs: number;
  /** Most streams looked at in one scan. */
  maxStreams: number;
  /** Most wake-ups per consumer and scan: a queue that drains is filled again by the next scan. */
  maxWakeUps: number;
  /** Longest time the scan may hold its lease. */
  leaseMs: number;
  /** Only look and record: send nothing. */
  dryRun?: boolean;
}

export type ScanOutcome = { kind: 'scanned'; result: ScanResult } | { kind: 'another-scan-runs'; until: number };

export async function scanGaps(deps: ScanDeps, input: ScanInput): Promise<ScanOutcome> {
  const { world, leases } = deps;
  const lease = await leases.acquire('scan', world.ids.next(), world.clock.now(), input.leaseMs);
  if (lease.kind === 'held') return { kind: 'another-scan-runs', until: lease.until };
  try {
    return { kind: 'scanned', result: await scan(deps, input) };
  } finally {
    await leases.release(lease);
  }
}

async function scan(deps: ScanDeps, input: ScanInput): Promise<ScanResult> {
  const startedAt = deps.world.clock.now();
  const consumers = (await deps.registry.list()).filter(({ status }) => status === 'active');
  const from = new Map<string, Position>();
  for (const { name } of consumers) from.set(name, await deps.states.position(name));
  const logLagMs = await deps.logLag.measure();
  const moved = await movedStreams(deps.log, {
    from,
    consumers,
    sequencedUntil: startedAt - input.bounds.graceMs,
    maxStreams: input.maxStreams,
  });

  const reads = { checkpoints: 0, openGaps: 0 };
  const scans: ConsumerScan[] = [];
  for (const consumer of consumers) {
    const isUnknown = logLagMs === undefined || logLagMs > input.logLagBoundMs;
    const owed = moved.owed.get(consumer.name) ?? new Map();
    scans.push(await scanConsumer(deps, input, { consumer, owed, isUnknown, reads }));
    // Only now: every stream up to here is resolved, parked or a row.
    if (moved.scannedTo > (from.get(consumer.name) ?? 0)) {
      await deps.states.advance(consumer.name, moved.scannedTo, deps.world.clock.now());
    }
  }
  const result: ScanResult = {
    startedAt,
    endedAt: deps.world.clock.now(),
    scannedFrom: Math.min(...from.values(), moved.scannedTo) as Position,
    scannedTo: moved.scannedTo,
    reachedHead: moved.reachedHead,
    ...(logLagMs !== undefined && { logLagMs }),
    pages: moved.pages,
    ...reads,
    consumers: scans,
  };
  await deps.states.store(result);
  report(deps, result);
  return result;
}

interface ConsumerInput {
  consumer: RegisteredConsumer;
  owed: Map<StreamId, OwedEvents>;
  isUnknown: boolean;
  reads: { checkpoints: number; openGaps: number };
}

/** Streams whose checkpoints are read at once: one BatchGetItem. */
const BATCH = 100;

async function scanConsumer(deps: ScanDeps, input: ScanInput, of: ConsumerInput): Promise<ConsumerScan> {
  const { consumer, owed, reads } = of;
  const rows = new Map<StreamId, OpenGap>();
  for await (const row of deps.openGaps.list(consumer.name)) rows.set(row.streamId, row);
  reads.openGaps += rows.size;
  // The rows first: they waited longest.
  const streams = [...new Set([...rows.keys(), ...owed.keys()])];
  const tally = newTally(consumer);
  const wakeUps: { gap: OpenGap; to: number }[] = [];
  const queueActive = streams.length > 0 && ((await deps.queues.messages(consumer.queueUrl)) ?? 0) > 0;

  for (let at = 0; at < streams.length; at += BATCH) {
    const batch = streams.slice(at, at + BATCH);
    const found = await deps.checkpoints.getMany(batch.map((streamId) => ({ consumer: consumer.name, streamId })));
    const byStream = new Map(found.map((checkpoint) => [checkpoint.streamId, checkpoint]));
    reads.checkpoints += batch.length;
    for (const streamId of batch) {
      const checkpoint: Checkpoint | undefined = byStream.get(streamId);
      const row = rows.get(streamId);
      const now = deps.world.clock.now();
      const answer = decideStream(
        { checkpoint, owed: joined(row, owed.get(streamId)), queueActive, now },
        input.bounds,
      );
      const open = await record(deps, consumer, streamId, answer, row, now);
      count(tally, answer, { consumer, streamId, now });
      const mayWake = answer.kind === 'gap' && open !== undefined && input.dryRun !== true;
      if (mayWake && wakeUps.length < input.maxWakeUps) wakeUps.push({ gap: open, to: answer.to });
    }
  }
  tally.wakeUps = await fill(deps, consumer, wakeUps);
  tally.state = tally.gaps > 0 ? 'gaps' : of.isUnknown ? 'unknown' : tally.lagging > 0 ? 'lagging' : 'complete';
  return tally;
}

/** A row and a movement of the same stream are one debt; the row is the older part. */
function joined(row: OpenGap | undefined, moved: OwedEvents | undefined): OwedEvents {
  if (row === undefined) return moved as OwedEvents;
  const owed = { from: row.from, to: row.to, oldestAt: row.openedAt, newestAt: row.openedAt };
  if (moved === undefined) return owed;
  return { ...owed, to: Math.max(row.to, moved.to), newestAt: Math.max(row.openedAt, moved.newestAt) };
}

async function record(
  deps: ScanDeps,
  { name: consumer }: RegisteredConsumer,
  streamId: StreamId,
  answer: StreamAnswer,
  row: OpenGap | undefined,
  now: number,
): Promise<OpenGap | undefined> {
  if (answer.kind === 'resolved') {
    if (row !== undefined) await deps.openGaps.close(row);
    return undefined;
  }
  // The row of a parked stream stays; without one none is needed: the un-park opens it.
  if (answer.kind === 'parked') return row;
  return deps.openGaps.seen(
    { consumer, streamId, from: answer.from as Version, to: answer.to as Version },
    // A row is as old as what it stands for, so that the bound on lag counts from there.
    row === undefined ? answer.oldestAt : now,
  );
}

/** Wakes the consumer for each gap, oldest first; it catches up in order by itself. Rows stay until a scan sees them resolved. */
async function fill(
  { wakeUps, openGaps, world }: ScanDeps,
  consumer: RegisteredConsumer,
  gaps: readonly { gap: OpenGap; to: number }[],
): Promise<number> {
  for (let at = 0; at < gaps.length; at += BATCH) {
    const batch = gaps.slice(at, at + BATCH);
    await wakeUps.send(
      consumer.queueUrl,
      batch.map(({ gap, to }) => ({
        message: {
          format: WAKE_UP_FORMAT,
          kind: 'wake-up',
          consumer: consumer.name,
          streamId: gap.streamId,
          version: to,
          hops: 0,
          reason: 'gap',
        },
      })),
    );
    for (const { gap } of batch) await openGaps.tried(gap, world.clock.now());
  }
  return gaps.length;
}

const newTally = (consumer: RegisteredConsumer): ConsumerScan => ({
  consumer: consumer.name,
  state: 'complete',
  gaps: 0,
  gapEvents: 0,
  lagging: 0,
  lagEvents: 0,
  lagSeconds: 0,
  parked: 0,
  resolved: 0,
  wakeUps: 0,
  listed: [],
});

function count(
  tally: ConsumerScan,
  answer: StreamAnswer,
  at: { consumer: RegisteredConsumer; streamId: StreamId; now: number },
): void {
  if (answer.kind === 'resolved') tally.resolved++;
  else if (answer.kind === 'parked') tally.parked++;
  else {
    const events = answer.to - answer.from + 1;
    const oldestAgeSeconds = Math.max(0, Math.round((at.now - answer.oldestAt) / 1_000));
    tally.lagEvents += events;
    tally.lagSeconds = Math.max(tally.lagSeconds, oldestAgeSeconds);
    if (answer.kind === 'lagging') tally.lagging++;
    else {
      tally.gaps++;
      tally.gapEvents += events;
      const gap: Gap = {
        consumer: at.consumer.name,
        streamId: at.streamId,
        from: answer.from as Version,
        to: answer.to as Version,
        count: events,
        oldestAgeSeconds,
      };
      if (tally.listed.length < LISTED_MAX) tally.listed.push(gap);
    }
  }
}

function report({ metrics, logger }: ScanDeps, result: ScanResult): void {
  metrics.count('GapScans');
  if (result.logLagMs !== undefined) metrics.count('LogLag', result.logLagMs, 'Milliseconds');
  for (const of of result.consumers) {
    const { consumer } = of;
    metrics.count('GapEvents', of.gapEvents, 'Count', { consumer });
    metrics.count('GapStreams', of.gaps, 'Count', { consumer });
    metrics.count('LagEvents', of.lagEvents, 'Count', { consumer });
    metrics.count('LagSeconds', of.lagSeconds, 'Seconds', { consumer });
    metrics.count('ParkedStreams', of.parked, 'Count', { consumer });
    logger[of.gaps > 0 ? 'warn' : 'info']('gap scan', { ...of });
  }
}
