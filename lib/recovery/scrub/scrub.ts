// The scrub: a patrol that re-reads everything that is stored, a page of a scan at a time, and writes down what is not what
// was appended. First the Events table, then the Log table; then it is idle until the next rotation. An invocation works for
// its time and budget; the next one goes on behind the last page that was worked off.
//
// To drive it step by step (simulation, tests): `composeScrub(parts)` over any `Dynamo`, then `scrub(deps, input)` again and
// again; each call does at least one step, so calls with `timeMs: 0` go page by page. `examineStreams` looks at single streams.

import type { Incidents } from '../../flow/relay/port.ts';
import type { World } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logging.ts';
import type { Metrics } from '../../platform/metrics.ts';
import type { Audit } from '../audit/audit.ts';
import type { Leases } from '../lease/leases.ts';
import { attendStreams, closeTrims, isTrimUnattended, type OpenIncidents, openIncidents } from './attend-incidents.ts';
import { examineStream } from './examine-stream.ts';
import type { FinishDeps } from './finish-stream.ts';
import type { Pace } from './pace.ts';
import { lookAtEventItems } from './patrol-events.ts';
import { lookAtLogItem } from './patrol-log.ts';
import type { Reads } from './reads.ts';
import { createRecorder, type Recorder, type RecorderDeps } from './recorder.ts';
import { NO_COUNTS, type ScrubCounts, type ScrubState, type ScrubStates } from './state.ts';
import type { DamageKind } from './types.ts';

export interface ScrubDeps extends Omit<RecorderDeps, 'reads' | 'now'> {
  states: ScrubStates;
  leases: Leases;
  audit: Audit;
  /** What relay and consumers met: looked at first. */
  incidents: Pick<Incidents, 'open' | 'close'>;
  /** `spent` is told what every read cost. */
  readsFor(spent: (units: number) => void): Reads;
  paceFor(unitsPerSecond: number): Pace;
  logHead: () => Promise<number>;
  logLagMs: () => Promise<number | undefined>;
  /** @see FinishDeps */
  searchPages: number;
  /** `clock` = the server clock. */
  world: Pick<World, 'clock' | 'ids'>;
  logger: Logger;
  metrics: Metrics;
}

export interface ScrubInput {
  /** Within this time any damage is found: a rotation begins after half of it, and should take less than the other half. */
  rotationMs: number;
  unitsPerSecond: number;
  /** Items in a page of the scan. */
  pageItems: number;
  /** Longest time the lease is held. */
  leaseMs: number;
  /** Time after which no further page is begun. */
  timeMs: number;
  /** Begin a rotation now, whatever is due. */
  rotateNow?: boolean;
  /** Id of the invocation, for the audit. */
  requestId: string;
  requestedBy: string;
  reason: string;
}

export interface ScrubResult {
  startedAt: number;
  endedAt: number;
  /** Where the patrol stands after it. */
  state: ScrubState;
  steps: number;
  units: number;
  /** Damages met by this invocation. */
  met: number;
  /** Findings that are open now, found whenever. */
  open: number;
  closed: number;
  handedOver: number;
}

export type ScrubOutcome = { kind: 'scrubbed'; result: ScrubResult } | { kind: 'another-scrub-runs'; until: number };

/** A guard: at one read unit a page, more than any budget allows in the longest invocation. */
const STEPS_MAX = 100_000;
const LOG_KINDS: readonly DamageKind[] = [
  'log-page-missing',
  'log-page-damaged',
  'log-mismatch',
  'directory-missing',
  'directory-mismatch',
];

/** @throws EventRecoveryError `SCRUB_OVERTAKEN` (retryable); outages of AWS as they are. Nothing is lost then. */
export async function scrub(deps: ScrubDeps, input: ScrubInput): Promise<ScrubOutcome> {
  const { world, leases } = deps;
  // Read before the lease is asked for: the first answer of a cold function tells the server's time, and a lease that is
  // judged by a machine's own clock may be taken minutes too early.
  const seen = await openIncidents(deps.incidents);
  const lease = await leases.acquire('scrub', world.ids.next(), world.clock.now(), input.leaseMs);
  if (lease.kind === 'held') return { kind: 'another-scrub-runs', until: lease.until };
  try {
    return { kind: 'scrubbed', result: await patrol(deps, input, seen) };
  } finally {
    await leases.release(lease);
  }
}

/** What the looks of one invocation share. */
export interface Work {
  finish: FinishDeps;
  recorder: Recorder;
  pageItems: number;
}

async function patrol(deps: ScrubDeps, input: ScrubInput, seen: OpenIncidents): Promise<ScrubResult> {
  const { clock } = deps.world;
  const { incidents } = deps;
  const startedAt = clock.now();
  const remainingMs = () => startedAt + input.timeMs - clock.now();
  const pace = deps.paceFor(input.unitsPerSecond);
  const work = await createWork(deps, (units) => pace.spent(units), input.pageItems);
  await attendStreams({ ...deps, now: work.finish.now }, seen, work.recorder.lastSeenAt, async (streamId) =>
    remainingMs() > 0 ? examineStream(work, streamId) : undefined,
  );
  const stored = await deps.states.read();
  let state = begin(stored, input, startedAt, isTrimUnattended(seen, stored.startedAt));
  let steps = 0;
  while (state.pass !== 'idle' && steps < STEPS_MAX && (steps === 0 || remainingMs() > 0)) {
    const before = pace.total();
    const next = await step(work, state);
    const units = state.counts.units + pace.total() - before;
    state = await deps.states.write(advance(state, next, units, work.finish.now()));
    steps += 1;
    if (state.pass !== 'idle') await pace.wait(Math.max(0, remainingMs()));
  }
  if (state.pass === 'idle' && state.last) await closeTrims(incidents, seen, state.last.startedAt, clock.now());
  await work.recorder.announce();
  const { met, closed, handedOver } = work.recorder;
  const counts = { met: met.length, open: work.recorder.openNow(), closed: closed.length, handedOver };
  const result = { startedAt, endedAt: clock.now(), state, steps, units: pace.total(), ...counts };
  await report(deps, input, result);
  return result;
}

export async function createWork(deps: ScrubDeps, spent: (units: number) => void, pageItems: number): Promise<Work> {
  const reads = deps.readsFor(spent);
  const now = steady(() => deps.world.clock.now());
  const { logHead, searchPages } = deps;
  const finish = { reads, now, logHead, logLagMs: once(deps.logLagMs), searchPages };
  return { finish, recorder: await createRecorder({ ...deps, reads, now }), pageItems };
}

/**
 * Never goes back. A clock that follows the server's does, by up to half a second when it learns more: what was met during a look
 * would then seem to have been met before it, and damage that is there would be closed.
 */
function steady(now: () => number): () => number {
  let latest = Number.NEGATIVE_INFINITY;
  return () => {
    latest = Math.max(latest, now());
    return latest;
  };
}

/** Asked at most once an invocation: the grace for what is on its way is longer than an invocation. */
function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | undefined;
  return () => {
    asked ??= ask();
    return asked;
  };
}

function begin(state: ScrubState, { rotationMs, rotateNow }: ScrubInput, now: number, isTrimmed: boolean): ScrubState {
  const isDue = state.pass === 'idle' && (state.rotation === 0 || now >= state.startedAt + rotationMs / 2);
  if (!isDue && !isTrimmed && rotateNow !== true) return state;
  const { revision, rotation, last } = state;
  return {
    revision,
    rotation: rotation + 1,
    startedAt: now,
    pass: 'events',
    passStartedAt: now,
    counts: NO_COUNTS,
    ...(last && { last }),
  };
}

type Step = Pick<ScrubState, 'from' | 'chain' | 'page'> & { counts: Partial<ScrubCounts>; isEnd: boolean };

async function step(work: Work, state: ScrubState): Promise<Step> {
  const done = state.pass === 'events' ? await stepEvents(work, state) : await stepLog(work, state);
  if (done.isEnd && state.pass === 'log') {
    await work.recorder.closeUnmet(LOG_KINDS, state.passStartedAt);
    await work.recorder.handOverUnanswered(state.startedAt, state.passStartedAt);
  }
  return done;
}

async function stepEvents({ finish, recorder, pageItems }: Work, state: ScrubState): Promise<Step> {
  const { items, next } = await finish.reads.scanEvents(state.from, pageItems);
  const { carry, damages, ended } = await lookAtEventItems(finish, state.chain, items, next === undefined);
  await recorder.record(damages);
  for (const end of ended) await recorder.streamEnded(end);
  const met = damages.length + ended.reduce((sum, end) => sum + end.damages.length, 0);
  const counts = { items: items.length, streams: ended.length, damages: met };
  return { counts, isEnd: next === undefined, ...(next && { from: next }), ...(carry && { chain: carry }) };
}

async function stepLog({ finish, recorder, pageItems }: Work, state: ScrubState): Promise<Step> {
  const { items, next } = await finish.reads.scanLog(state.from, pageItems);
  const counts = { pages: 0, heads: 0, damages: 0 };
  let { page } = state;
  for (const item of items) {
    const look = await lookAtLogItem(finish, page, item);
    page = look.carry ?? page;
    await recorder.record(look.damages);
    if (look.entries) await recorder.logHolds(look.entries);
    counts.damages += look.damages.length;
    if (look.what === 'page') counts.pages += 1;
    if (look.what === 'head') counts.heads += 1;
  }
  return { counts, isEnd: next === undefined, ...(next && { from: next }), ...(page && { page }) };
}

function advance(state: ScrubState, done: Step, units: number, now: number): ScrubState {
  const { revision, rotation, startedAt, last } = state;
  const counts = { ...state.counts, units };
  for (const [name, more] of Object.entries(done.counts) as [keyof ScrubCounts, number][]) counts[name] += more;
  const base = { revision, rotation, startedAt, counts, ...(last && { last }) };
  if (!done.isEnd) {
    const { from, chain, page } = done;
    const carry = { ...(from && { from }), ...(chain && { chain }), ...(page && { page }) };
    return { ...base, pass: state.pass, passStartedAt: state.passStartedAt, ...carry };
  }
  if (state.pass === 'events') return { ...base, pass: 'log', passStartedAt: now };
  return { ...base, pass: 'idle', passStartedAt: now, last: { startedAt, endedAt: now, counts } };
}

async function report(deps: ScrubDeps, input: ScrubInput, result: ScrubResult): Promise<void> {
  const { metrics, logger, audit } = deps;
  const { state, ...of } = result;
  const { units, met, open, closed, handedOver } = of;
  metrics.count('Scrubs');
  metrics.count('ScrubReadUnits', units);
  metrics.count('OpenDamages', open);
  // In per cent of the promised time, since the last rotation that was finished (or the first one began): 100 breaks it.
  const since = state.last?.startedAt ?? state.startedAt;
  metrics.count('ScrubOverdue', ((result.endedAt - since) / input.rotationMs) * 100, 'Percent');
  const { pass, rotation, counts } = state;
  logger[open > 0 ? 'warn' : 'info']('scrub', { ...of, pass, rotation, counts });
  if (met + closed + handedOver === 0) return;
  await audit.record({
    action: 'scrub',
    requestedBy: input.requestedBy,
    reason: input.reason,
    requestId: input.requestId,
    input: { rotateNow: input.rotateNow ?? false },
    outcome: { met, open, closed, handedOver },
  });
}
