// Announces dead letters to people. Consumers only write rows (they may not publish, and a stack without the upper floor has
// nobody who would); a schedule looks at the open ones every minute. It keeps no cursor: what fell into this window or the
// one before and was not told yet is told now. See docs/adr/0004 for why it is a schedule.

import type { DeadLetters } from '../../flow/dead-letter/port.ts';
import type { DeadLetter } from '../../model/dead-letter.ts';
import { isEventRecoveryError } from '../../model/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logging.ts';
import { ALERT_WINDOW_MS, type Alerts, UNDER_WAY, windowOf } from './alerts.ts';

/** As long as SQS could still bring an event back: an event that failed first before that is an old acquaintance. */
const FIRST_FAILED_WITHIN_MS = 14 * 24 * 60 * 60_000;
/** Examples in an alert. */
const SHOWN_MAX = 5;

export interface AnnounceDeps {
  deadLetters: Pick<DeadLetters, 'list'>;
  alerts: Alerts;
  clock: Clock;
  logger: Logger;
}

export interface Announced {
  /** Groups of this window and the one before. */
  groups: number;
  published: number;
}

/** @throws the first error of a publish, after the other groups were tried */
export async function announceDeadLetters(deps: AnnounceDeps): Promise<Announced> {
  const now = deps.clock.now();
  const groups = new Map<string, DeadLetter[]>();
  for (const status of ['parked', 'skipped'] as const) {
    for await (const letter of deps.deadLetters.list({ status, failedFrom: now - FIRST_FAILED_WITHIN_MS })) {
      const window = windowOf(letter.lastFailedAt);
      if (window < windowOf(now) - ALERT_WINDOW_MS) continue;
      const key = `${letter.consumer}#${letter.fingerprint}#${window}`;
      groups.set(key, [...(groups.get(key) ?? []), letter]);
    }
  }
  const announced: Announced = { groups: groups.size, published: 0 };
  let failure: { error: unknown } | undefined;
  for (const letters of groups.values()) {
    try {
      if ((await deps.alerts.raise(alertOf(letters))) === 'published') announced.published += 1;
    } catch (error) {
      // An announcement that runs beside this one tells it, or the next one does.
      if (!isEventRecoveryError(error) || error.code !== UNDER_WAY) failure ??= { error };
    }
  }
  deps.logger.info('dead letters announced', { ...announced });
  if (failure !== undefined) throw failure.error;
  return announced;
}

function alertOf(letters: readonly DeadLetter[]) {
  const [first] = letters as [DeadLetter, ...DeadLetter[]];
  const { consumer, fingerprint, error, lastFailedAt } = first;
  return {
    consumer,
    fingerprint,
    at: lastFailedAt,
    subject: `${consumer}: dead letters (${error.name})`,
    facts: {
      error: { name: error.name, message: error.message },
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
