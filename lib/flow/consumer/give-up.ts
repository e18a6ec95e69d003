// What happens after an event failed: its attempt is stored with the lease given back and a delayed wake-up sent, or the
// consumer gives up: dead letter and parked (or skipped) checkpoint in ONE transaction, so that neither exists alone. What
// is still pending has no writes here; it is stored with it.

import type { Attempting } from '../../model/checkpoint.ts';
import { DEAD_LETTER_FORMAT, type DeadLetter } from '../../model/dead-letter.ts';
import { describeError } from '../dead-letter/describe-error.ts';
import { fingerprint } from '../dead-letter/fingerprint.ts';
import { deadLetterId } from '../dead-letter/id.ts';
import { commitPending } from './commit.ts';
import { decideFailure } from './decide-failure.ts';
import {
  about,
  count,
  countResolved,
  keepPending,
  type NextEvent,
  type StreamRun,
  sendOn,
  tell,
  wakeUpMessage,
} from './run.ts';

export interface EventFailure {
  error: unknown;
  permanent: boolean;
  /** Tries that count, this one included. */
  attempts: number;
  firstFailedAt: number;
}

export type AfterFailure =
  /** Released; whatever had to be sent was sent. */
  | 'released'
  /** Passed over: the next event is due. */
  | 'skipped'
  /** A rewind was asked for meanwhile: apply it instead of parking. */
  | 'rewind';

export async function afterFailure(run: StreamRun, next: NextEvent, failure: EventFailure): Promise<AfterFailure> {
  const { engine } = run.batch;
  const { maxAttempts, onPoison } = engine.declaration;
  const error = describeError(failure.error);
  const decision = decideFailure({ ...failure, maxAttempts, onPoison });
  count(engine, 'ReactFailures');
  tell(run.batch, 'warn', 'react failed', about(next), { ...failure, error, decision: decision.kind });
  if (decision.kind === 'retry') return retryLater(run, next, failure, error, decision.delaySeconds);
  return giveUp(run, next, { ...failure, error }, decision.kind);
}

/** The trace before the acknowledgement: the attempt is stored, the lease given back, the wake-up sent; in this order. */
async function retryLater(
  run: StreamRun,
  { event }: NextEvent,
  { attempts, firstFailedAt }: EventFailure,
  lastError: DeadLetter['error'],
  delaySeconds: number,
): Promise<AfterFailure> {
  const { version } = event.metadata;
  const { stored } = run.session;
  const retryAt = run.batch.engine.serverClock.now() + delaySeconds * 1000;
  const attempting: Attempting = { version, count: attempts, firstFailedAt, lastError, retryAt };
  await commitPending(run, { attempting, release: {} });
  count(run.batch.engine, 'Retries');
  const message = wakeUpMessage(run.batch, run.work, { reason: 'retry', version: stored.wanted, hops: 0 });
  await sendOn(run.batch, { ...message, correlationId: event.metadata.correlationId }, delaySeconds);
  return 'released';
}

type GivenUp = Omit<EventFailure, 'error' | 'permanent'> & { error: DeadLetter['error'] };

export async function giveUp(
  run: StreamRun,
  next: NextEvent,
  failure: GivenUp,
  how: 'park' | 'skip',
): Promise<AfterFailure> {
  const { engine } = run.batch;
  const { generation, lastDeadLetter } = run.session.stored;
  const { version } = next.event.metadata;
  const now = engine.serverClock.now();
  const row = deadLetterOf(run, next, failure, how, now);
  const isTheLastOne = lastDeadLetter?.generation === generation && lastDeadLetter.version === version;
  const chained = { ...row, ...(lastDeadLetter && !isTheLastOne && { previous: lastDeadLetter }) };
  const rows = [engine.deadLetters.recordWrite(chained)];
  const common = { attempting: null, redriving: null, lastDeadLetter: { generation, version } } as const;
  const saved =
    how === 'park'
      ? await run.session.save({
          resolved: run.pending,
          fields: { ...common, parked: { version, deadLetterId: row.id, since: now }, release: { unlessRewind: true } },
          rows,
        })
      : await run.session.save({
          resolved: [...run.pending, { version, commitHash: next.commitHash, outcome: 'skipped', writes: [] }],
          fields: common,
          rows,
        });
  if (saved.kind === 'wanted-more') return 'rewind';
  if (saved.kind !== 'saved') throw new Error(`a dead letter could not be written: ${JSON.stringify(saved)}`);
  countResolved(engine, run.pending);
  keepPending(run, []);
  count(engine, 'DeadLetters');
  count(engine, how === 'park' ? 'StreamsParked' : 'EventsSkipped');
  const { name, message } = failure.error;
  tell(run.batch, 'error', how === 'park' ? 'dead letter: stream parked' : 'dead letter: event skipped', about(next), {
    deadLetterId: row.id,
    fingerprint: row.fingerprint,
    attempts: failure.attempts,
    error: { name, message },
  });
  return how === 'park' ? 'released' : 'skipped';
}

function deadLetterOf(
  run: StreamRun,
  { event }: NextEvent,
  { error, attempts, firstFailedAt }: GivenUp,
  how: 'park' | 'skip',
  now: number,
): DeadLetter {
  const { consumer, streamId, generation } = run.session.stored;
  const { version, correlationId } = event.metadata;
  return {
    id: deadLetterId({ consumer, generation, version, streamId }),
    consumer,
    streamId,
    version,
    generation,
    eventId: event.id,
    eventType: event.type,
    correlationId,
    error,
    fingerprint: fingerprint(consumer, error),
    attempts,
    rounds: 0,
    status: how === 'park' ? 'parked' : 'skipped',
    firstFailedAt,
    lastFailedAt: now,
    updatedAt: now,
    untold: 'yes',
    ...(how === 'skip' && { passedAs: 'skipped' as const }),
    format: DEAD_LETTER_FORMAT,
  };
}

/** What the dead letter says when the last try left no word: the function died, alone with this event. */
export const uncleanEnd = (attempts: number) => ({
  name: 'UncleanEnd',
  message: `the function ended without a word ${attempts} time(s) while this event alone was in work (crash, timeout or out of memory)`,
});
