// The gap scan: looks at the open-gap rows and at the streams that moved, answers per consumer and stream, records what is
// owed, and wakes the consumer for every gap. Its position advances only past streams that are resolved, parked (the un-park
// opens a row) or recorded as open: what it could not repair it sees again. Consumers that stand at different positions are
// passed separately, so that a new one, which begins far behind, does not keep the scan from the others.

import type { Log } from '../../flow/log/port.ts';
import type { Registry } from '../../flow/registry/port.ts';
import type { RegisteredConsumer } from '../../model/consumer.ts';
import type { Position } from '../../model/ids.ts';
import { WAKE_UP_FORMAT } from '../../model/wake-up.ts';
import type { World } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logging.ts';
import type { Metrics } from '../../platform/metrics.ts';
import type { Leases } from '../lease/leases.ts';
import type { ScanBounds } from './decide-stream.ts';
import { movedStreams } from './moved-streams.ts';
import type { Announcements, ConsumerScan, LogLag, ScanResult } from './port.ts';
import { type ConsumerScanDeps, scanConsumer } from './scan-consumer.ts';
import type { ScanStates } from './scan-state.ts';

export interface ScanDeps extends ConsumerScanDeps {
  registry: Pick<Registry, 'list'>;
  log: Pick<Log, 'pages'>;
  states: ScanStates;
  leases: Leases;
  logLag: LogLag;
  announcements: Announcements;
  /** `clock` = the server clock: leases of consumers are compared with it. */
  world: Pick<World, 'clock' | 'ids'>;
  logger: Logger;
  metrics: Metrics;
}

export interface ScanInput {
  bounds: ScanBounds;
  /** Above this lag of the log the answer "no gaps" is `unknown`. */
  logLagBoundMs: number;
  /** Most streams looked at in one scan, for consumers that stand at the same position. */
  maxStreams: number;
  /** Most wake-ups per consumer and scan: a queue that drains is filled again by the next scan. */
  maxWakeUps: number;
  /** Longest time the scan may hold its lease. */
  leaseMs: number;
  /** Time after which no further consumer and no further rows are begun; the next scan goes on. @default leaseMs */
  timeMs?: number;
  /** Only look and record: send and announce nothing. */
  dryRun?: boolean;
}

export type ScanOutcome = { kind: 'scanned'; result: ScanResult } | { kind: 'another-scan-runs'; until: number };

/** Gaps in an announcement: a bus entry has room for them, whatever the stream ids. */
const ANNOUNCED_MAX = 10;

export async function scanGaps(deps: ScanDeps, input: ScanInput): Promise<ScanOutcome> {
  const { world, leases } = deps;
  // Read before the lease is asked for: the first answer of a cold function tells the server's time, and a lease that is
  // judged by a machine's own clock may be taken minutes too early.
  const consumers = (await deps.registry.list()).filter(({ status }) => status === 'active');
  const lease = await leases.acquire('scan', world.ids.next(), world.clock.now(), input.leaseMs);
  if (lease.kind === 'held') return { kind: 'another-scan-runs', until: lease.until };
  try {
    return { kind: 'scanned', result: await scan(deps, input, consumers) };
  } finally {
    await leases.release(lease);
  }
}

async function scan(deps: ScanDeps, input: ScanInput, consumers: readonly RegisteredConsumer[]): Promise<ScanResult> {
  const { clock } = deps.world;
  const startedAt = clock.now();
  const remainingMs = () => startedAt + (input.timeMs ?? input.leaseMs) - clock.now();
  const from = new Map<string, Position>();
  for (const { name, startPosition } of consumers) {
    const scanned = await deps.states.position(name);
    from.set(name, Math.max(scanned, startPosition) as Position);
  }
  const logLagMs = await deps.logLag.measure();
  const isUnknown = logLagMs === undefined || logLagMs > input.logLagBoundMs;

  const reads = { pages: 0, checkpoints: 0, openGaps: 0 };
  const scans: ConsumerScan[] = [];
  let reachedHead = true;
  for (const group of byPosition(consumers, from)) {
    // Whoever comes after the end of the time keeps its position; those in front come first, they are cheap.
    if (scans.length > 0 && remainingMs() <= 0) {
      reachedHead = false;
      break;
    }
    const sequencedUntil = startedAt - input.bounds.graceMs;
    const moved = await movedStreams(deps.log, {
      from,
      consumers: group,
      sequencedUntil,
      maxStreams: input.maxStreams,
    });
    reads.pages += moved.pages;
    reachedHead &&= moved.reachedHead;
    for (const consumer of group) {
      const owed = moved.owed.get(consumer.name) ?? new Map();
      const scannedTo = Math.max(moved.scannedTo, from.get(consumer.name) ?? 0) as Position;
      const { bounds, maxWakeUps, dryRun = false } = input;
      const of = { consumer, owed, scannedTo, isUnknown, bounds, maxWakeUps, dryRun, remainingMs, reads };
      scans.push(await scanConsumer(deps, of));
      // Only now: every stream up to here is resolved, parked or a row.
      if (scannedTo > (from.get(consumer.name) ?? 0)) await deps.states.advance(consumer.name, scannedTo, clock.now());
    }
  }
  const result: ScanResult = {
    startedAt,
    endedAt: clock.now(),
    scannedFrom: lowest([...from.values()]),
    scannedTo: lowest(
      consumers.map(({ name }) => scans.find(({ consumer }) => consumer === name)?.scannedTo ?? from.get(name) ?? 0),
    ),
    reachedHead,
    ...(logLagMs !== undefined && { logLagMs }),
    ...reads,
    consumers: scans,
  };
  await deps.states.store(result);
  report(deps, result);
  if (input.dryRun !== true) await announce(deps, result);
  return result;
}

/** Groups of consumers that stand at the same position, the furthest first. */
function byPosition(
  consumers: readonly RegisteredConsumer[],
  from: ReadonlyMap<string, Position>,
): RegisteredConsumer[][] {
  const groups = Map.groupBy(consumers, ({ name }) => from.get(name) ?? 0);
  return [...groups].sort(([a], [b]) => b - a).map(([, group]) => group);
}

const lowest = (positions: readonly number[]): Position =>
  (positions.length === 0 ? 0 : Math.min(...positions)) as Position;

/** After the result is stored, and never the reason for a failed scan: rows and wake-ups do not depend on it. */
async function announce({ announcements, logger, metrics }: ScanDeps, result: ScanResult): Promise<void> {
  for (const { state, consumer, scannedTo, gaps, gapEvents, foundFrom, foundTo, listed } of result.consumers) {
    if (state !== 'gaps') continue;
    try {
      await announcements.gapsFound({
        format: WAKE_UP_FORMAT,
        consumer,
        scannedAt: result.startedAt,
        scannedTo,
        gaps,
        gapEvents,
        foundFrom,
        foundTo,
        listed: listed.slice(0, ANNOUNCED_MAX),
      });
    } catch (error) {
      metrics.count('GapAnnouncementsFailed');
      logger.error('gaps could not be announced; the next scan tries again', { consumer, error });
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
  // Without a dimension: what alarms of the whole deployment look at.
  const over = (pick: (of: ConsumerScan) => number) => result.consumers.map(pick);
  metrics.count(
    'GapStreams',
    over(({ gaps }) => gaps).reduce((sum, gaps) => sum + gaps, 0),
  );
  metrics.count('LagSeconds', Math.max(0, ...over(({ lagSeconds }) => lagSeconds)), 'Seconds');
  metrics.count('UnknownConsumers', result.consumers.filter(({ state }) => state === 'unknown').length);
}
