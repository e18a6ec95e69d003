// What one seed does, as data: streams, appends, consumers, settings, and which faults may strike how often. Everything
// follows from the seed; overrides only leave something out, so that a failing seed can be made smaller.

import { createPrng, type Prng } from '../kernel/prng.ts';
import { START_OF_TIME } from '../kernel/scheduler.ts';
import { ALL_FAULT_KINDS, FAULT_KINDS, type FaultKind } from '../world/fault-kinds.ts';
import type { FaultPlan } from '../world/faults.ts';

export interface Overrides {
  /** At most so many events are appended. */
  events?: number;
  /** Only these kinds may strike (of those that the seed has chosen). */
  faults?: readonly FaultKind[];
  /** Faults strike only between these times, milliseconds since the start of the run. */
  faultsFromMs?: number;
  faultsUntilMs?: number;
}

export interface PlannedAppend {
  atMs: number;
  streamId: string;
  producer: number;
  eventIds: string[];
  types: string[];
  /** Bytes of filler in each event's data. */
  bytes: number;
  /** How the producer decides on the expected version. */
  expect: 'read-first' | 'known' | 'any';
}

export interface PlannedConsumer {
  name: string;
  effects: 'transactional' | 'idempotent';
  eventTypes: string[];
  onPoison: 'park' | 'skip';
  maxAttempts: number;
  groupCommits: boolean;
  /** Every event of a stream also writes one shared item: grouped commits have to be split. */
  sharedItem: boolean;
  timeoutMs: number;
  batchSize: number;
  maxConcurrency: number;
  batchWindowMs: number;
  maxReceiveCount: number;
}

export interface Plan {
  seed: number;
  streams: string[];
  producers: number;
  appends: PlannedAppend[];
  consumers: PlannedConsumer[];
  relay: {
    timeoutMs: number;
    batchSize: number;
    maxRetries: number;
    /** Commits of one stream that a batch, and a continuation, may read from the store. */
    backfillCommits: { batch: number; continuation: number };
  };
  /** How long a completed marker protects. */
  markerTtlMs: number;
  faults: FaultPlan;
  /** No gap scan runs: what it would heal must not be needed. Only where no fault loses a delivery for good. */
  isWithoutScans: boolean;
  /** The scrub works on its schedule under faults as well; after them it always heals what lost a record. */
  isScrubbed: boolean;
  /** Readers fold streams with snapshots. */
  isFolded: boolean;
  /** When all is quiet, an adversary damages the store; the scrub finds it and a restore repairs it. */
  isDamaged: boolean;
  /** People start recoveries. */
  isRecovered: boolean;
  /** At the end the verifier looks at everything. */
  isInspected: boolean;
}

export const EVENT_TYPES = ['Placed', 'Paid', 'Shipped', 'Noted'] as const;
/** Appends happen in the first minutes; faults go on for longer, so that retries and recoveries meet them too. */
const APPENDS_MS = { min: 20_000, max: 4 * 60_000 };
const FAULTS_AFTER_APPENDS_MS = { min: 0, max: 6 * 60_000 };
/** With these, a stream may wait for a scan: a delivery is lost, or an operator dies before the wake-up. */
const LOSSES: readonly FaultKind[] = [
  'bus-drop',
  'redrive-under-faults',
  'discard-under-faults',
  'rewind-under-faults',
];
/** Looking at everything takes as long as a seventh of a run. */
const INSPECTED_SHARE = 0.25;
/** A rotation reads everything, request by request, in the middle of all faults. */
const SCRUBBED_SHARE = 0.15;
const FOLDED_SHARE = 0.1;
const DAMAGED_SHARE = 0.06;
/** A recovery verifies everything twice. Not where a scan would hide what must not need one. */
const RECOVERED_SHARE = 0.15;
const MIN_EVENTS = 60;
const MIN_FAULT_KINDS = 12;

export function planOf(seed: number, overrides: Overrides = {}): Plan {
  const prng = createPrng(seed, 'plan');
  const streams = ['order-a', 'order-b', 'order-c'];
  const producers = prng.int(1, 3);
  const spanMs = prng.int(APPENDS_MS.min, APPENDS_MS.max);
  const appends = limitEvents(planAppends(prng, streams, producers, spanMs), overrides.events);
  const consumers = [planConsumer(prng, 'stock', 'transactional'), planConsumer(prng, 'mailer', 'idempotent')];
  const relay = {
    timeoutMs: 60_000,
    batchSize: prng.pick([1, 5, 25, 100]),
    maxRetries: prng.int(3, 12),
    backfillCommits: { batch: prng.pick([1, 3, 250]), continuation: prng.pick([2, 5, 1_000]) },
  };
  const rates = planFaults(seed, overrides.faults);
  const isLossless = LOSSES.every((kind) => rates[kind] === undefined);
  const faultsUntilMs = spanMs + prng.int(FAULTS_AFTER_APPENDS_MS.min, FAULTS_AFTER_APPENDS_MS.max);
  const isWithoutScans = isLossless && createPrng(seed, 'plan/scans').chance(0.5);
  return {
    seed,
    streams,
    producers,
    appends,
    consumers,
    relay,
    markerTtlMs: prng.pick([20 * 60_000, 24 * 3_600_000]),
    isWithoutScans,
    isRecovered: !isWithoutScans && createPrng(seed, 'plan/recoveries').chance(RECOVERED_SHARE),
    isScrubbed: createPrng(seed, 'plan/scrubs').chance(SCRUBBED_SHARE),
    isFolded: createPrng(seed, 'plan/folders').chance(FOLDED_SHARE),
    isDamaged: createPrng(seed, 'plan/damage').chance(DAMAGED_SHARE),
    isInspected: createPrng(seed, 'plan/inspection').chance(INSPECTED_SHARE),
    faults: {
      seed,
      rates,
      from: START_OF_TIME + (overrides.faultsFromMs ?? 0),
      until: START_OF_TIME + Math.min(faultsUntilMs, overrides.faultsUntilMs ?? Number.POSITIVE_INFINITY),
    },
  };
}

function planAppends(prng: Prng, streams: readonly string[], producers: number, spanMs: number): PlannedAppend[] {
  const appends: PlannedAppend[] = [];
  const target = prng.int(MIN_EVENTS, MIN_EVENTS + 2);
  // Bursts: most of the time a producer appends several times in a row, sometimes to one hot stream.
  const hot = prng.chance(0.3) ? prng.pick(streams) : undefined;
  for (let events = 0, atMs = 0; events < target; ) {
    const count = Math.min(prng.pick([1, 2, 3, 5, 8]), target - events);
    const streamId = hot !== undefined && prng.chance(0.6) ? hot : prng.pick(streams);
    atMs = prng.chance(0.5) ? atMs + prng.int(0, 50) : prng.int(0, spanMs);
    appends.push({
      atMs,
      streamId,
      producer: prng.int(1, producers),
      eventIds: Array.from({ length: count }, (_, index) => `e${events + index + 1}`),
      types: Array.from({ length: count }, () => prng.pick(EVENT_TYPES)),
      bytes: prng.chance(0.03) ? prng.int(200, 3_000) : prng.int(0, 40),
      expect: prng.pick(['read-first', 'known', 'known', 'any']),
    });
    events += count;
  }
  return appends.sort((left, right) => left.atMs - right.atMs);
}

function limitEvents(appends: readonly PlannedAppend[], most = Number.POSITIVE_INFINITY): PlannedAppend[] {
  let events = 0;
  return appends.filter(({ eventIds }) => {
    events += eventIds.length;
    return events <= most;
  });
}

function planConsumer(prng: Prng, name: string, effects: PlannedConsumer['effects']): PlannedConsumer {
  const wanted = prng.shuffle(EVENT_TYPES).slice(0, prng.pick([2, 2, 2, 3, EVENT_TYPES.length]));
  return {
    name,
    effects,
    eventTypes: wanted,
    onPoison: prng.chance(0.75) ? 'park' : 'skip',
    maxAttempts: prng.int(2, 4),
    groupCommits: effects === 'transactional' && prng.chance(0.5),
    sharedItem: effects === 'transactional' && prng.chance(0.5),
    timeoutMs: 10_000,
    batchSize: prng.pick([1, 5, 10, 10]),
    maxConcurrency: prng.pick([1, 2, 5, 10]),
    batchWindowMs: prng.pick([0, 500, 1_000, 3_000]),
    maxReceiveCount: prng.pick([1, 2, 3, 5, 8]),
  };
}

/** At least twelve kinds, each with a rate of its own between the kind's limits (evenly on a logarithmic scale). */
function planFaults(seed: number, only: readonly FaultKind[] | undefined): FaultPlan['rates'] {
  const prng = createPrng(seed, 'plan/faults');
  const most = prng.pick([16, 24, ALL_FAULT_KINDS.length]);
  const chosen = prng.shuffle(ALL_FAULT_KINDS).slice(0, prng.int(MIN_FAULT_KINDS, most));
  const rates: FaultPlan['rates'] = {};
  for (const kind of chosen) {
    const [low, high] = FAULT_KINDS[kind].rate;
    const rate = Math.exp(Math.log(low) + prng.next() * (Math.log(high) - Math.log(low)));
    if (only === undefined || only.includes(kind)) rates[kind] = rate;
  }
  return rates;
}
