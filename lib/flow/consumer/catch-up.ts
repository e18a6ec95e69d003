// One stream under its lease: apply a waiting rewind, then resolve event by event up to what is wanted, until nobody asked
// for more at the moment of the release. The checkpoint never passes an event that is not resolved.

import type { Version } from '../../model/ids.ts';
import { applyRewind } from './apply-rewind.ts';
import { type AtOnceOrLater, isPromise, whenThere } from './at-once.ts';
import { type Committed, commitPending } from './commit.ts';
import { decideEvent, type EventDecision } from './decide-event.ts';
import { eventsOf } from './events-of.ts';
import { type AfterFailure, afterFailure, giveUp, uncleanEnd } from './give-up.ts';
import { checkPassed } from './old-code.ts';
import { GROUP_BYTES, WRITES_PER_EVENT } from './own-writes.ts';
import { tryReact } from './resolve.ts';
import type { PendingResolution } from './run.ts';
import { about, count, type NextEvent, type StreamRun, tell } from './run.ts';

/** `out-of-time`: the lease is still held, and what is pending is not stored. */
export type CatchUpEnd = 'released' | 'out-of-time';
type Step = CatchUpEnd | 'go-on' | 'again';

/** Rounds follow each other only because somebody asked for more meanwhile; the deadline ends them long before. */
const MAX_ROUNDS = 1_000;

/** @throws LeaseLostError, StreamDamagedError, and what the ports throw */
export async function catchUp(run: StreamRun): Promise<CatchUpEnd> {
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    if (run.pending.length > 0) {
      const stored = await store(run);
      if (stored === 'released') return stored;
    }
    if (run.session.stored.rewind !== undefined && !(await applyRewind(run))) return 'out-of-time';
    const { version, wanted } = run.session.stored;
    const step = wanted <= version ? await release(run) : await resolveUpTo(run, wanted);
    if (step === 'released' || step === 'out-of-time') return step;
  }
  return 'out-of-time';
}

async function resolveUpTo(run: StreamRun, wanted: Version): Promise<Step> {
  for await (const events of eventsOf(run, wanted)) {
    for (const next of events) {
      if (run.batch.deadline.isNear()) return 'out-of-time';
      const resolved = resolveNext(run, next);
      const step = isPromise(resolved) ? await resolved : resolved;
      if (step !== 'go-on') return step;
      if (next.event.metadata.version < wanted && mustStore(run)) {
        const stored = await store(run);
        if (stored !== 'go-on') return stored;
      }
    }
  }
  return release(run);
}

function resolveNext(run: StreamRun, next: NextEvent): AtOnceOrLater<Step> {
  const { type, metadata } = next.event;
  const { version, position } = metadata;
  return whenThere(run.interest.wants({ type, version, position }), (isWanted) => resolveAs(run, next, isWanted));
}

function resolveAs(run: StreamRun, next: NextEvent, isWanted: boolean): AtOnceOrLater<Step> {
  const { engine } = run.batch;
  const { type, metadata } = next.event;
  const { version } = metadata;
  const { maxAttempts } = engine.declaration;
  const { replayId: id, replayTo: to } = run.work;
  const asked = id === undefined || to === undefined ? undefined : { id, to };
  const decision = decideEvent(run.session.stored, { version, isWanted, maxAttempts, asked });
  switch (decision.kind) {
    case 'unwanted':
    case 'suppressed':
      count(engine, decision.kind === 'unwanted' ? 'EventsUnwanted' : 'EventsSuppressed');
      if (!engine.declaration.eventTypes.includes(type)) run.passedTypes.add(type);
      return resolve(run, next, { outcome: 'resolved' });
    case 'discard':
      count(engine, 'EventsDiscarded');
      tell(run.batch, 'info', 'event discarded', about(next));
      return resolve(run, next, { outcome: 'discarded' });
    case 'give-up': {
      const {
        count: attempts = maxAttempts,
        firstFailedAt = engine.serverClock.now(),
        lastError,
      } = run.session.stored.attempting ?? {};
      const error = lastError ?? uncleanEnd(attempts);
      return store(run, () => giveUp(run, next, { attempts, firstFailedAt, error }, engine.declaration.onPoison));
    }
    case 'react':
      return react(run, next, decision);
  }
}

type ReactDecision = Extract<EventDecision, { kind: 'react' }>;

function react(run: StreamRun, next: NextEvent, decision: ReactDecision): AtOnceOrLater<Step> {
  const now = () => reactNow(run, next, decision);
  return run.isAlone ? beginAlone(run, next, decision.attempt).then(now) : now();
}

function reactNow(run: StreamRun, next: NextEvent, { attempt, replay }: ReactDecision): AtOnceOrLater<Step> {
  const scope = `g${run.session.stored.generation}`;
  const ended = tryReact(run.batch, run.session, next.event, { attempt, replay, scope });
  return whenThere(ended, (end): AtOnceOrLater<Step> => {
    if (end.kind === 'failed') return failed(run, next, end);
    if (end.kind === 'deadline') {
      if (end.counts) return failed(run, next, { error: end.error, permanent: false });
      run.needsPrecedence = true;
      return 'out-of-time';
    }
    const facts = { attempt, repeated: end.repeated, ...(replay && { replay }) };
    tell(run.batch, 'debug', 'event reacted to', about(next), facts);
    run.suspects -= 1;
    return resolve(run, next, { outcome: 'resolved', writes: end.writes, bytes: end.bytes });
  });
}

/** Begun before the react, so that a try that ends without a word is counted. Everything before it is stored with it. */
async function beginAlone(run: StreamRun, next: NextEvent, attempt: number): Promise<void> {
  const { version } = next.event.metadata;
  const { attempting } = run.session.stored;
  const firstFailedAt = attempting?.version === version ? attempting.firstFailedAt : run.batch.engine.serverClock.now();
  await commitPending(run, { attempting: { version, count: attempt, firstFailedAt }, mode: 'alone' });
}

interface Resolved {
  outcome: PendingResolution['outcome'];
  writes?: PendingResolution['writes'];
  bytes?: number;
}

function resolve(run: StreamRun, next: NextEvent, resolved: Resolved): AtOnceOrLater<Step> {
  const { writes = [], bytes = 0 } = resolved;
  const isFull =
    run.pendingBytes + bytes > GROUP_BYTES || run.pendingWrites + writes.length > WRITES_PER_EVENT || run.isUngrouped;
  if (writes.length === 0 || run.pendingWrites === 0 || !isFull) return keep(run, next, resolved);
  return store(run).then((step) => (step === 'go-on' ? keep(run, next, resolved) : step));
}

function keep(run: StreamRun, { event, commitHash }: NextEvent, { outcome, writes = [], bytes = 0 }: Resolved): Step {
  run.pending.push({ event, commitHash, version: event.metadata.version, outcome, writes });
  run.pendingBytes += bytes;
  run.pendingWrites += writes.length;
  if (writes.length > 0) run.pendingWriters += 1;
  return 'go-on';
}

function mustStore(run: StreamRun): boolean {
  const { declaration, settings, world } = run.batch.engine;
  const { pending } = run;
  if (pending.length === 0) return false;
  // Alone, the next try stores what is pending as it begins; the end of the suspicion is a step of its own.
  if (run.isAlone && (run.pendingWrites > 0 || run.suspects <= 0)) return true;
  if (!declaration.groupCommits && run.pendingWrites > 0) return true;
  const reacted = declaration.effects === 'idempotent' ? pending.length : run.pendingWriters;
  return (
    reacted >= settings.chunkEvents ||
    pending.length >= settings.quietChunkEvents ||
    world.clock.now() - run.storedAt >= settings.chunkMs
  );
}

/** Stores what is pending, then goes on with `then`; an event whose writes are refused comes first. */
async function store(run: StreamRun, then?: () => Promise<AfterFailure>): Promise<Step> {
  // `then` stores what is pending by itself.
  await checkPassed(run);
  const committed =
    run.pendingWrites > 0 || then === undefined ? await commitPending(run) : ({ kind: 'stored' } as const);
  if (committed.kind === 'refused') return afterRefusal(run, committed);
  leaveSuspicion(run);
  return then === undefined ? 'go-on' : stepAfter(await then());
}

/** Before the lease is given back unfinished. `released`: an event whose writes were refused has done that already. */
export async function storeBeforeHandOver(run: StreamRun): Promise<'stored' | 'released'> {
  return run.pending.length > 0 && (await store(run)) === 'released' ? 'released' : 'stored';
}

/** With the last event, or without one when a duplicate found nothing to do. */
async function release(run: StreamRun): Promise<Step> {
  const wantedAtMost = run.pending.at(-1)?.version ?? run.session.stored.version;
  const committed = await commitPending(run, { release: { wantedAtMost } });
  if (committed.kind === 'stored') return 'released';
  if (committed.kind === 'refused') return afterRefusal(run, committed);
  count(run.batch.engine, 'AskedForMore');
  return 'again';
}

/** What was resolved after the refused event is forgotten, so the stream goes on from the checkpoint. */
async function afterRefusal(
  run: StreamRun,
  { next, error, permanent }: Extract<Committed, { kind: 'refused' }>,
): Promise<Step> {
  const step = await failed(run, next, { error, permanent });
  return step === 'go-on' ? 'again' : step;
}

/** Everything before the event is stored first: a failure among it comes first, too. */
async function failed(
  run: StreamRun,
  next: NextEvent,
  { error, permanent }: { error: unknown; permanent: boolean },
): Promise<Step> {
  const { version } = next.event.metadata;
  return store(run, () => {
    const { attempting } = run.session.stored;
    const before = attempting?.version === version ? attempting : undefined;
    // Alone, the try was counted when it began.
    const attempts = run.isAlone ? Math.max(1, before?.count ?? 1) : (before?.count ?? 0) + 1;
    const firstFailedAt = before?.firstFailedAt ?? run.batch.engine.serverClock.now();
    return afterFailure(run, next, { error, permanent, attempts, firstFailedAt });
  });
}

const stepAfter = (outcome: AfterFailure): Step =>
  outcome === 'released' ? 'released' : outcome === 'skipped' ? 'go-on' : 'again';

/** A shared holder never is further than a chunk beyond its checkpoint: after that many events nobody is suspected. */
function leaveSuspicion(run: StreamRun): void {
  if (run.isAlone && run.suspects <= 0) run.isAlone = false;
}
