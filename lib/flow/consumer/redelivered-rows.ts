// The dead letters of events that are delivered again: closed when the event succeeds, written when it does not.

import { DEAD_LETTER_FORMAT, type DeadLetter, type DeadLetterStatus } from '../../model/dead-letter.ts';
import type { Version } from '../../model/ids.ts';
import type { Write } from '../../platform/dynamodb/port.ts';
import { fingerprint } from '../dead-letter/fingerprint.ts';
import { deadLetterId } from '../dead-letter/id.ts';
import type { Redeliver } from './messages.ts';
import { about, type Batch, count, type NextEvent, tell } from './run.ts';
import type { Session } from './session.ts';

const OPEN = ['skipped', 'redriving'] as const;
const CLOSED = ['parked', 'resolved', 'discarded', 'superseded'] as const satisfies readonly DeadLetterStatus[];

/** The dead letter of a version that was passed over, while nobody closed it. Consistent. */
export async function openRow(
  { engine }: Batch,
  { stored }: Session,
  version: Version,
): Promise<DeadLetter | undefined> {
  const row = await engine.deadLetters.get(deadLetterId({ ...stored, version }));
  return row !== undefined && (OPEN as readonly string[]).includes(row.status) ? row : undefined;
}

/** A skipped event that succeeds now is no dead letter any more; the digest keeps that it was passed as skipped. */
export const closingWrite = ({ engine }: Batch, { id }: DeadLetter): Write =>
  engine.deadLetters.statusWrite(id, OPEN, 'resolved', engine.serverClock.now());

export async function recordGivenUp(
  batch: Batch,
  session: Session,
  { whileOpen }: Redeliver,
  next: NextEvent,
  error: DeadLetter['error'],
  attempts: number,
): Promise<void> {
  const { engine } = batch;
  const { consumer, streamId, generation } = session.stored;
  const { id: eventId, type: eventType, metadata } = next.event;
  const { version, correlationId } = metadata;
  const now = engine.serverClock.now();
  const row: DeadLetter = {
    id: deadLetterId({ consumer, generation, version, streamId }),
    consumer,
    streamId,
    version,
    generation,
    eventId,
    eventType,
    correlationId,
    error,
    fingerprint: fingerprint(consumer, error),
    attempts,
    rounds: 0,
    status: 'skipped',
    firstFailedAt: now,
    lastFailedAt: now,
    updatedAt: now,
    untold: 'yes',
    format: DEAD_LETTER_FORMAT,
  };
  const write = engine.deadLetters.recordWrite(row);
  await session.save({ rows: [unlessDecided(write, whileOpen)] });
  count(engine, 'RedeliveriesGivenUp');
  tell(batch, 'error', 'dead letter: redelivery given up', about(next), { deadLetterId: row.id, attempts });
}

/** What somebody discarded stays discarded: a decision with a reason is not undone by a delivery that was on its way. */
function unlessDecided(write: Write, whileOpen: boolean | undefined): Write {
  const { Update } = write;
  if (Update === undefined) throw new Error('a dead letter is recorded by an update');
  const kept: readonly DeadLetterStatus[] = whileOpen ? CLOSED : ['discarded'];
  return {
    Update: {
      ...Update,
      ConditionExpression: `attribute_not_exists(#status) OR NOT #status IN (${kept.map((_, index) => `:kept${index}`).join(', ')})`,
      ExpressionAttributeValues: {
        ...Update.ExpressionAttributeValues,
        ...Object.fromEntries(kept.map((status, index) => [`:kept${index}`, status])),
      },
    },
  };
}
