// Delivering resolved events again, because somebody selected them: under the stream's lease, in order, each once per replay
// id (a marker, for transactional consumers in the same transaction). It never moves the checkpoint and never parks: after
// the last try the event gets a row with status `skipped`, and the rest goes on.

import type { Checkpoint } from '../../model/checkpoint.ts';
import { StreamDamagedError } from '../../model/errors.ts';
import type { Version } from '../../model/ids.ts';
import { WAKE_UP_FORMAT } from '../../model/wake-up.ts';
import { errorFacts } from '../../platform/logging.ts';
import { describeError } from '../dead-letter/describe-error.ts';
import { retryDelaySeconds } from './decide-failure.ts';
import { eventsAt } from './events-at.ts';
import type { Redeliver } from './messages.ts';
import { refuseOldCode } from './old-code.ts';
import { closingWrite, openRow, recordGivenUp } from './redelivered-rows.ts';
import { type RedeliveryTrace, startTrace } from './redelivery-trace.ts';
import { tryReact } from './resolve.ts';
import { about, type Batch, count, type NextEvent, sendOn, tell, wakeUpMessage } from './run.ts';
import { createSession, LeaseLostError, type Session } from './session.ts';
import { HELD_REDELIVERY_DELAY_SECONDS, MAX_DELAY_SECONDS } from './settings.ts';
import type { RedeliverWork } from './stream-work.ts';

export type RedeliverEnd = 'acknowledge' | 'fail';

/** Never throws. */
export async function redeliver(batch: Batch, { body }: RedeliverWork): Promise<RedeliverEnd> {
  try {
    if (batch.deadline.isOver()) return 'fail';
    if (batch.deadline.isNear()) return await sendLater(batch, body, body.versions, { hops: body.hops + 1 });
    const { engine } = batch;
    const acquired = await engine.checkpoints.acquire({
      consumer: engine.declaration.name as never,
      streamId: body.streamId,
      owner: engine.world.ids.next(),
      wanted: 0 as Version,
      now: engine.serverClock.now(),
      leaseDurationMs: Math.max(0, batch.deadline.remainingMs()),
      mode: 'shared',
      purpose: 'redeliver',
      startVersion: 0 as Version,
      backUp: neverAsked,
    });
    if (acquired.kind === 'held') {
      // Raising `wanted` would say nothing about a redelivery: it sends itself on, less and less often.
      const delaySeconds = Math.min(MAX_DELAY_SECONDS, HELD_REDELIVERY_DELAY_SECONDS * 2 ** Math.min(body.hops, 8));
      return await sendLater(batch, body, body.versions, { hops: body.hops + 1, delaySeconds });
    }
    if (acquired.kind !== 'acquired') {
      drop(batch, body, body.versions, 0);
      return 'acknowledge';
    }
    const onRowLeft = (reason: string) =>
      tell(batch, 'warn', 'dead letter left as somebody else changed it', body, { reason });
    return await underLease(batch, createSession({ ...engine, onRowLeft }, acquired), body);
  } catch (error) {
    return failed(batch, body, error);
  }
}

async function underLease(batch: Batch, session: Session, body: Redeliver): Promise<RedeliverEnd> {
  try {
    const { version } = session.stored;
    const trace = startTrace(session.stored, body.replayId);
    const beyond = body.versions.filter((one) => one > version);
    const due = body.versions.filter((one) => one <= version);
    const rest = await redeliverAll(batch, session, body, due, trace);
    if (beyond.length > 0) drop(batch, body, beyond, version);
    if (rest === undefined) for (const one of beyond) trace.passed(one, 'failed');
    const passedTo = body.suppressEffects ? due.at(-1) : undefined;
    const redelivered = trace.redelivered(batch.engine.serverClock.now());
    const askedForMore = await release(session, { redelivered, ...(passedTo !== undefined && { passedTo }) });
    // After the release, before the acknowledgement: see work-stream.ts.
    if (askedForMore) {
      const { wanted } = session.stored;
      const work = { streamId: body.streamId, correlationId: body.correlationId ?? '' };
      await sendOn(batch, wakeUpMessage(batch, work, { reason: 'continue', version: wanted, hops: 0 }));
    }
    if (rest === undefined) return 'acknowledge';
    return await sendLater(batch, body, rest.versions, rest);
  } catch (error) {
    if (!(error instanceof LeaseLostError) && !session.isReleased) {
      await session.save({ fields: { release: {} } }).catch((releaseError: unknown) => {
        tell(batch, 'warn', 'lease not given back', body, { error: errorFacts(releaseError) });
      });
    }
    throw error;
  }
}

/** A redelivery that meets a holder sends itself on. */
const neverAsked = (): Promise<never> => Promise.reject(new Error('a redelivery leaves no back-up'));

/** True: the stream's own work waits, and is woken up by the caller. */
async function release(session: Session, trace: Pick<Checkpoint, 'redelivered' | 'passedTo'>): Promise<boolean> {
  const passedTo = Math.max(trace.passedTo ?? 0, session.stored.passedTo ?? 0) as Version;
  const fields = { ...trace, ...(trace.passedTo !== undefined && { passedTo }) };
  const saved = await session.save({ fields: { ...fields, release: { wantedAtMost: session.stored.version } } });
  if (saved.kind === 'saved') return false;
  await session.save({ fields: { ...fields, release: {} } });
  return true;
}

interface Rest {
  versions: Version[];
  hops: number;
  attempts?: number;
  delaySeconds?: number;
}

/** What is left to do later, if anything. */
async function redeliverAll(
  batch: Batch,
  session: Session,
  body: Redeliver,
  versions: readonly Version[],
  trace: RedeliveryTrace,
): Promise<Rest | undefined> {
  let done = 0;
  for await (const next of eventsAt(batch.engine.eventStore, body.streamId, versions)) {
    const left = versions.slice(done);
    if (batch.deadline.isNear()) return { versions: left, hops: done > 0 ? 0 : body.hops + 1 };
    const attempts = done === 0 ? (body.attempts ?? 0) : 0;
    const failure = await redeliverOne(batch, session, body, next, attempts);
    if (failure === 'out-of-time') return { versions: left, hops: done > 0 ? 0 : body.hops + 1, attempts };
    if (failure !== undefined) {
      const failures = attempts + 1;
      const isLast = failure.permanent || failures >= batch.engine.declaration.maxAttempts;
      count(batch.engine, 'ReactFailures');
      const error = describeError(failure.error);
      tell(batch, 'warn', 'react failed', about(next), { attempts: failures, error, replayId: body.replayId });
      if (!isLast) {
        return { versions: left, hops: 0, attempts: failures, delaySeconds: retryDelaySeconds(failures) };
      }
      await recordGivenUp(batch, session, body, next, error, failures);
    }
    trace.passed(next.event.metadata.version, failure === undefined ? 'done' : 'failed');
    done += 1;
  }
  return undefined;
}

interface OneFailed {
  error: unknown;
  permanent: boolean;
}

async function redeliverOne(
  batch: Batch,
  session: Session,
  { replayId, suppressEffects, whileOpen }: Redeliver,
  next: NextEvent,
  attempts: number,
): Promise<OneFailed | 'out-of-time' | undefined> {
  const { engine } = batch;
  const { event } = next;
  const isDeclared = engine.declaration.eventTypes.includes(event.type);
  if (!isDeclared) await refuseOldCode(engine, [event.type]);
  if (suppressEffects || !isDeclared) {
    count(engine, suppressEffects ? 'EventsSuppressed' : 'EventsUnwanted');
    return undefined;
  }
  const { version } = event.metadata;
  if (whileOpen && (await openRow(batch, session, version)) === undefined) return dropClosed(batch, next, replayId);
  const attempt = { attempt: attempts + 1, replay: { mode: 'redeliver', id: replayId }, scope: replayId } as const;
  const end = await tryReact(batch, session, event, attempt);
  if (end.kind === 'deadline') return end.counts ? { error: end.error, permanent: false } : 'out-of-time';
  if (end.kind === 'failed') return end;
  const open = await openRow(batch, session, version);
  const closing = open === undefined ? [] : [closingWrite(batch, open)];
  const { consumer, streamId } = session.stored;
  const now = engine.serverClock.now();
  const isTransactional = engine.declaration.effects === 'transactional';
  const marker = { consumer, scope: replayId, streamId, version };
  const input = { token: session.token, now, expiresAt: now + engine.markerTtlMs };
  if (whileOpen && isTransactional && open === undefined) return dropClosed(batch, next, replayId);
  // What has not happened yet may still be refused; an effect outside DynamoDB has happened, whatever its row says now.
  const guards = isTransactional ? [engine.markers.completedWrite(marker, input), ...(whileOpen ? closing : [])] : [];
  const rows = isTransactional && whileOpen ? [] : closing;
  if (guards.length > 0 || rows.length > 0) {
    const saved = await session.save({ guards, rows, writes: end.writes });
    if (saved.kind === 'refused') {
      return {
        error: new Error(saved.reasons.map(({ code, message }) => `${code}: ${message}`).join(', ')),
        permanent: false,
      };
    }
    if (saved.kind === 'rejected') return { error: new Error(`${saved.code}: ${saved.message}`), permanent: true };
    if (saved.kind === 'guard-refused') {
      count(engine, 'MarkersAlreadyCompleted');
      return undefined;
    }
  }
  count(engine, 'EventsRedelivered');
  tell(batch, 'info', 'event redelivered', about(next), { replayId });
  return undefined;
}

/** Somebody decided otherwise meanwhile: discarded, resolved by another round, superseded by a rewind. */
function dropClosed(batch: Batch, next: NextEvent, replayId: string): undefined {
  count(batch.engine, 'RedeliveriesDropped');
  tell(batch, 'info', 'not redelivered: its dead letter is closed', about(next), { replayId });
  return undefined;
}

/** Not resolved yet: catching up delivers it. Somebody asked for it by mistake, and finds here that nothing was done. */
function drop(
  batch: Batch,
  { streamId, replayId, correlationId }: Redeliver,
  versions: readonly Version[],
  checkpoint: number,
): void {
  count(batch.engine, 'RedeliveriesDropped', versions.length);
  for (const version of versions) {
    tell(
      batch,
      'warn',
      'not redelivered: beyond the checkpoint',
      { streamId, version, correlationId },
      { replayId, checkpoint },
    );
  }
}

async function sendLater(
  batch: Batch,
  body: Redeliver,
  versions: readonly Version[],
  { hops, attempts = body.attempts ?? 0, delaySeconds = 0 }: Pick<Rest, 'hops' | 'attempts' | 'delaySeconds'>,
): Promise<RedeliverEnd> {
  const { streamId, replayId, suppressEffects, whileOpen, correlationId } = body;
  if (hops > batch.engine.settings.maxHops) {
    tell(batch, 'error', 'no progress in many continuations: left to the queue', body, { replayId, hops });
    return 'fail';
  }
  const message = {
    format: WAKE_UP_FORMAT,
    kind: 'redeliver' as const,
    consumer: batch.engine.declaration.name,
    streamId,
    versions: [...versions],
    replayId,
    hops,
    ...(attempts > 0 && { attempts }),
    ...(suppressEffects && { suppressEffects }),
    ...(whileOpen && { whileOpen }),
    ...(correlationId !== undefined && { correlationId }),
  };
  await sendOn(batch, message, delaySeconds);
  return 'acknowledge';
}

function failed(batch: Batch, body: Redeliver, error: unknown): RedeliverEnd {
  if (error instanceof LeaseLostError) count(batch.engine, 'LeasesLost');
  if (error instanceof StreamDamagedError) count(batch.engine, 'StreamsDamaged');
  count(batch.engine, 'StreamsFailed');
  tell(batch, 'error', 'redelivery failed: its message comes back', body, {
    replayId: body.replayId,
    error: errorFacts(error),
  });
  return 'fail';
}
