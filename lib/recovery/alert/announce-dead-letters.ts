// Announces dead letters to people. Consumers only write rows (they may not publish, and a stack without the upper floor has
// nobody who would); a schedule looks every minute at those that carry the mark `untold`, and takes it away when their group
// was told. There is no cursor, and no time after which one is forgotten. See docs/adr/0004 for why it is a schedule.

import type { DeadLetters } from '../../flow/dead-letter/port.ts';
import type { DeadLetter, DeadLetterStatus } from '../../model/dead-letter.ts';
import { isEventRecoveryError } from '../../model/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logging.ts';
import { ALERT_WINDOW_MS, type Alerts, UNDER_WAY, windowOf } from './alerts.ts';

/**
 * Dead letters read from each end of time: of the oldest, so that none waits for good; of the newest, so that a new cause is
 * heard of in the middle of a storm. Twice as many marks are taken away in 80 rounds of 25, which fits into 30 seconds.
 */
export const READ_MAX = 1_000;
const AT_ONCE = 25;
/** Examples in an alert. */
const SHOWN_MAX = 5;
/** Somebody has decided, or it came right: nobody has to hear of it any more. */
const CLOSED: readonly DeadLetterStatus[] = ['resolved', 'discarded', 'superseded'];

export interface AnnounceDeps {
  deadLetters: Pick<DeadLetters, 'untold' | 'markTold'>;
  alerts: Alerts;
  clock: Clock;
  logger: Logger;
}

export interface Announced {
  /** Groups with dead letters that nobody was told of. */
  groups: number;
  published: number;
}

/** @throws the first error of a publish, after the other groups were tried */
export async function announceDeadLetters(deps: AnnounceDeps): Promise<Announced> {
  const letters = await untold(deps);
  const groups = groupsOf(letters, deps.clock.now());
  const announced: Announced = { groups: groups.size, published: 0 };
  const told = letters.filter(isClosed);
  let failure: { error: unknown } | undefined;
  for (const { at, letters } of groups.values()) {
    try {
      if ((await deps.alerts.raise(alertOf(letters, at))) === 'published') announced.published += 1;
      told.push(...letters);
    } catch (error) {
      // An announcement that runs beside this one tells it, or the next one does.
      if (!isEventRecoveryError(error) || error.code !== UNDER_WAY) failure ??= { error };
    }
  }
  for (let from = 0; from < told.length; from += AT_ONCE) {
    await Promise.all(told.slice(from, from + AT_ONCE).map((letter) => deps.deadLetters.markTold(letter)));
  }
  deps.logger.info('dead letters announced', { ...announced });
  if (failure !== undefined) throw failure.error;
  return announced;
}

async function untold({ deadLetters }: AnnounceDeps): Promise<DeadLetter[]> {
  const oldest = await deadLetters.untold('oldest', READ_MAX);
  const newest = oldest.length < READ_MAX ? [] : await deadLetters.untold('newest', READ_MAX);
  return [...new Map([...oldest, ...newest.reverse()].map((letter) => [letter.id, letter])).values()];
}

const isClosed = ({ status }: DeadLetter): boolean => CLOSED.includes(status);

interface Group {
  at: number;
  letters: DeadLetter[];
}

/** After hours in which nobody could be told, what is older is told with the window before this one: two alerts a cause. */
function groupsOf(letters: readonly DeadLetter[], now: number): Map<string, Group> {
  const earliest = windowOf(now) - ALERT_WINDOW_MS;
  const groups = new Map<string, Group>();
  for (const letter of letters) {
    if (isClosed(letter)) continue;
    const at = Math.max(letter.lastFailedAt, earliest);
    const key = `${letter.consumer}#${letter.fingerprint}#${windowOf(at)}`;
    const group = groups.get(key) ?? { at, letters: [] };
    group.letters.push(letter);
    groups.set(key, group);
  }
  return groups;
}

function alertOf(letters: readonly DeadLetter[], at: number) {
  const [first] = letters as [DeadLetter, ...DeadLetter[]];
  const { consumer, fingerprint, error, lastFailedAt } = first;
  return {
    consumer,
    fingerprint,
    at,
    subject: `${consumer}: dead letters (${error.name})`,
    facts: {
      error: { name: error.name, message: error.message },
      since: new Date(lastFailedAt).toISOString(),
      deadLetters: letters.length,
      streams: new Set(letters.map(({ streamId }) => streamId)).size,
      parked: letters.filter(({ status }) => status === 'parked').length,
      examples: letters.slice(0, SHOWN_MAX).map(({ id, eventId, eventType, streamId, version, correlationId }) => ({
        id,
        eventId,
        eventType,
        streamId,
        version,
        correlationId,
      })),
      next: `npx event-recovery dead-letters --consumer ${consumer} --fingerprint ${fingerprint}`,
    },
  };
}
