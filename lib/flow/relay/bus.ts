// The relay's two voices on the EventBridge bus: events and wake-ups for the consumers, and the wake-up to itself in which
// a long backfill goes on. At least once; what could not be said is reported to the caller, whose batch is then tried again.

import { EventRecoveryError } from '../../model/errors.ts';
import { RELAY_BACKFILL } from '../../model/wake-up.ts';
import { encodedEntry, encodeEntry } from './bus-entry-size.ts';
import type { Bus, BusEntry, Continuations } from './port.ts';
import { type EventBridgeBus, putEvents } from './put-events.ts';

export type { EventBridgeBus } from './put-events.ts';

/** @example const { failed } = await createBus({ client: new EventBridgeClient(), busName, world }).publish(entries); */
export function createBus(bus: EventBridgeBus): Bus {
  return {
    async publish(entries) {
      const withoutBody = (index: number) => {
        const entry = entries[index] as BusEntry;
        return entry.kind === 'event' ? encodeEntry(entry, { withoutBody: true }) : undefined;
      };
      const whole = entries.map((entry) => encodeEntry(entry));
      const refused = await putEvents(bus, whole, withoutBody);
      return { failed: refused.map(({ index, ...why }) => ({ entry: entries[index] as BusEntry, ...why })) };
    },
  };
}

/** One rule matches `$RelayBackfill` and invokes the relay function (ADR 0003 says why it is the bus). */
export function createContinuations(bus: EventBridgeBus): Continuations {
  return {
    async send(detail) {
      const [refused] = await putEvents(bus, [encodedEntry(RELAY_BACKFILL, JSON.stringify(detail))]);
      if (refused === undefined) return;
      throw new EventRecoveryError(
        'CONTINUATION_NOT_SENT',
        `the wake-up for the backfill of stream "${detail.streamId}" was refused: ${refused.code} ${refused.message}; remedy: the batch is tried again by itself`,
        { retryable: true, facts: { ...detail, code: refused.code } },
      );
    },
  };
}
