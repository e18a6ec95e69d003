// The drill's own books: what the store acknowledged, and what consumers did. Neither is read from the code under test:
// an entry is written when an append returns, an effect when somebody outside saw it.

import type { EventStore } from '../../flow/event-store/port.ts';
import type { NewEvent } from '../../model/event.ts';

export interface LedgerEntry {
  streamId: string;
  version: number;
  eventId: string;
  type: string;
}

/** One effect of one consumer on one event, as often as it happened. */
export interface Effect {
  consumer: string;
  streamId: string;
  version: number;
  eventId: string;
}

export interface Ledger {
  readonly entries: readonly LedgerEntry[];
  /** Appends one commit and books it when the store has acknowledged it. Returns the stream's new version. */
  append(streamId: string, events: readonly NewEvent[], expectedVersion: number): Promise<number>;
  /** Books events that another producer's store acknowledged. `firstVersion`: where they are when everything is repaired. */
  book(streamId: string, events: readonly NewEvent[], firstVersion: number): void;
}

export function createLedger(
  eventStore: Pick<EventStore, 'append'>,
  onBooked: (count: number) => void = () => undefined,
): Ledger {
  const entries: LedgerEntry[] = [];
  const book: Ledger['book'] = (streamId, events, firstVersion) => {
    for (const [index, event] of events.entries()) {
      entries.push({ streamId, version: firstVersion + index, eventId: event.id, type: event.type });
    }
    onBooked(entries.length);
  };
  return {
    entries,
    book,
    async append(streamId, events, expectedVersion) {
      const result = await eventStore.append(streamId, events, expectedVersion);
      book(streamId, events, result.firstVersion);
      return result.version;
    },
  };
}
