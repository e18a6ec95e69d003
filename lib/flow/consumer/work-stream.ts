// One stream of a batch from its messages to the answer whether they may be acknowledged. They may when they left a trace:
// resolved, recorded under somebody's lease, parked, or sent on by a wake-up of our own. The wake-up is sent AFTER the lease
// was given back: sent before, it could be received, find the lease held and vanish.

import type { Attempting } from '../../model/checkpoint.ts';
import { StreamDamagedError } from '../../model/errors.ts';
import type { Version } from '../../model/ids.ts';
import { errorFacts } from '../../platform/logging.ts';
import type { AcquireResult } from '../checkpoint/port.ts';
import { catchUp, storeBeforeHandOver } from './catch-up.ts';
import { damageKind } from './damage-kind.ts';
import { isSuspect } from './decide-event.ts';
import { createInterest } from './interest.ts';
import { type Batch, count, type StreamRun, sendOn, tell, wakeUpMessage } from './run.ts';
import { createSession, LeaseLostError } from './session.ts';
import { MAX_DELAY_SECONDS } from './settings.ts';
import type { StreamWork } from './stream-work.ts';

export type StreamEnd =
  | { kind: 'acknowledge' }
  /** The messages must come back. */
  | { kind: 'fail' }
  /** The lease is held; to be gone on with when nothing else of the batch is in flight. */
  | { kind: 'needs-alone'; run: StreamRun };

/** `isExclusive`: nothing else of this batch is in flight. Never throws. */
export async function workStream(batch: Batch, work: StreamWork, isExclusive: boolean): Promise<StreamEnd> {
  try {
    if (batch.deadline.isOver()) return { kind: 'fail' };
    if (batch.deadline.isNear()) return await sendContinue(batch, work, { version: work.wanted, hops: work.hops + 1 });
    const acquired = await acquire(batch, work);
    if (acquired.kind !== 'acquired') {
      noteOthers(batch, work, acquired);
      return { kind: 'acknowledge' };
    }
    const run = startRun(batch, work, acquired);
    if (!run.isAlone) return await finish(run);
    count(batch.engine, 'StreamsAlone');
    tell(batch, 'warn', 'an earlier holder ended without a word: stream is worked on alone', work);
    return isExclusive ? await workAlone(run) : { kind: 'needs-alone', run };
  } catch (error) {
    return failed(batch, work, error);
  }
}

/** Never throws. */
export async function workAlone(run: StreamRun): Promise<StreamEnd> {
  // Blame needs time: with too little of it, the next invocation begins with this stream.
  if (run.batch.deadline.leavesFairTime()) return finish(run);
  run.needsPrecedence = true;
  return guarded(run, () => handOver(run));
}

async function acquire(batch: Batch, work: StreamWork): Promise<AcquireResult> {
  const { engine, deadline } = batch;
  const { streamId } = work;
  const { startFrom, startPosition } = await engine.registration({ fresh: false });
  return engine.checkpoints.acquire({
    consumer: engine.declaration.name as never,
    streamId,
    owner: engine.world.ids.next(),
    wanted: work.wanted,
    now: engine.serverClock.now(),
    leaseDurationMs: Math.max(0, deadline.remainingMs()),
    mode: 'shared',
    purpose: work.forced ? 'force' : 'deliver',
    startVersion:
      startFrom === 'beginning' ? (0 as Version) : () => engine.log.versionAtPosition(streamId, startPosition),
    backUp: (notBefore) => sendBackUp(batch, work, notBefore),
  });
}

function noteOthers(batch: Batch, work: StreamWork, { kind }: Exclude<AcquireResult, { kind: 'acquired' }>): void {
  const counters = {
    held: 'LeasesHeldByOthers',
    'up-to-date': 'StreamsUpToDate',
    parked: 'StreamsWaiting',
    deferred: 'StreamsDeferred',
  } as const;
  count(batch.engine, counters[kind]);
  tell(batch, 'debug', 'nothing to do here', { ...work, version: work.wanted }, { because: kind });
}

/**
 * In case the holder that this message met dies: its own message may be gone, because SQS may hand a message out twice at
 * the same time, and one acknowledgement removes both. One such wake-up ahead serves all who meet a holder meanwhile.
 */
async function sendBackUp(batch: Batch, work: StreamWork, notBefore: number): Promise<number> {
  const now = batch.engine.serverClock.now();
  const delaySeconds = Math.min(MAX_DELAY_SECONDS, Math.max(1, Math.ceil((notBefore - now) / 1_000)));
  await sendOn(batch, wakeUpMessage(batch, work, { reason: 'back-up', version: work.wanted, hops: 0 }), delaySeconds);
  count(batch.engine, 'BackUps');
  return now + delaySeconds * 1_000;
}

function startRun(batch: Batch, work: StreamWork, acquired: Extract<AcquireResult, { kind: 'acquired' }>): StreamRun {
  const { engine } = batch;
  const { checkpoint, previousEndedUncleanly } = acquired;
  const onRowLeft = (reason: string) =>
    tell(batch, 'warn', 'dead letter left as somebody else changed it', work, { reason });
  return {
    batch,
    work,
    session: createSession({ ...engine, onRowLeft }, acquired),
    interest: createInterest({ ...engine, eventTypes: engine.declaration.eventTypes }, work.streamId),
    isAlone: isSuspect(checkpoint.attempting, previousEndedUncleanly),
    suspects: engine.settings.chunkEvents,
    startVersion: checkpoint.version,
    startGeneration: checkpoint.generation,
    passedTypes: new Set(),
    pending: [],
    pendingBytes: 0,
    pendingWrites: 0,
    pendingWriters: 0,
    isUngrouped: false,
    storedAt: engine.world.clock.now(),
    needsPrecedence: false,
  };
}

const finish = (run: StreamRun): Promise<StreamEnd> =>
  guarded(run, async () => ((await catchUp(run)) === 'released' ? { kind: 'acknowledge' } : handOver(run)));

async function guarded(run: StreamRun, work: () => Promise<StreamEnd>): Promise<StreamEnd> {
  try {
    return await work();
  } catch (error) {
    await giveBack(run, error);
    return failed(run.batch, run.work, error);
  }
}

/** Time is nearly up: store, give the lease back, and let the next invocation go on. */
async function handOver(run: StreamRun): Promise<StreamEnd> {
  if ((await storeBeforeHandOver(run)) === 'released') return { kind: 'acknowledge' };
  await run.session.save({ fields: { ...handedOverAttempt(run), release: {} } });
  const { stored } = run.session;
  const hasProgress = stored.version > run.startVersion || stored.generation > run.startGeneration;
  const hops = hasProgress ? 0 : run.work.hops + 1;
  const { precedenceHops } = run.batch.engine.settings;
  return sendContinue(run.batch, run.work, {
    version: stored.wanted,
    hops: run.needsPrecedence ? Math.max(hops, precedenceHops) : hops,
  });
}

async function sendContinue(
  batch: Batch,
  work: StreamWork,
  { version, hops }: { version: Version; hops: number },
): Promise<StreamEnd> {
  if (hops > batch.engine.settings.maxHops) {
    tell(batch, 'error', 'no progress in many continuations: left to the queue', { ...work, version }, { hops });
    count(batch.engine, 'StreamsFailed');
    return { kind: 'fail' };
  }
  await sendOn(batch, wakeUpMessage(batch, work, { reason: 'continue', version, hops }));
  count(batch.engine, 'Continuations');
  return { kind: 'acknowledge' };
}

/**
 * A stream under suspicion stays so for the next holder: an attempt without an error says it. One that was begun here and
 * did not get its time, or failed for another reason than the event, is taken back.
 */
function handedOverAttempt(run: StreamRun): { attempting?: Attempting } {
  if (!run.isAlone) return {};
  const { version: resolved, attempting, lease } = run.session.stored;
  const version = (resolved + 1) as Version;
  const before = attempting?.version === version ? attempting : undefined;
  const begunHere = before !== undefined && lease?.mode === 'alone' && before.lastError === undefined;
  return {
    attempting: {
      version,
      count: Math.max(0, (before?.count ?? 0) - (begunHere ? 1 : 0)),
      firstFailedAt: before?.firstFailedAt ?? run.batch.engine.serverClock.now(),
    },
  };
}

/** Best effort: what is not given back ends by itself, and its messages come back either way. */
async function giveBack(run: StreamRun, error: unknown): Promise<void> {
  if (error instanceof LeaseLostError || run.session.isReleased) return;
  try {
    if (error instanceof StreamDamagedError && (await storeBeforeHandOver(run)) === 'released') return;
    await run.session.save({ fields: { ...handedOverAttempt(run), release: {} } });
  } catch (releaseError) {
    tell(run.batch, 'warn', 'lease not given back', run.work, { error: errorFacts(releaseError) });
  }
}

async function failed(batch: Batch, work: StreamWork, error: unknown): Promise<StreamEnd> {
  const { engine } = batch;
  if (error instanceof LeaseLostError) count(engine, 'LeasesLost');
  else if (error instanceof StreamDamagedError) {
    count(engine, 'StreamsDamaged');
    await recordDamage(batch, work, error);
  }
  count(engine, 'StreamsFailed');
  tell(batch, error instanceof LeaseLostError ? 'warn' : 'error', 'stream failed: its messages come back', work, {
    error: errorFacts(error),
  });
  return { kind: 'fail' };
}

async function recordDamage(batch: Batch, work: StreamWork, { version, damage }: StreamDamagedError): Promise<void> {
  const { incidents, serverClock, declaration } = batch.engine;
  try {
    await incidents.record({
      kind: damageKind(damage),
      streamId: work.streamId,
      version,
      detail: damage,
      foundBy: `consumer ${declaration.name}`,
      foundAt: serverClock.now(),
    });
  } catch (error) {
    tell(batch, 'error', 'incident not recorded', { ...work, version }, { error: errorFacts(error) });
  }
}
