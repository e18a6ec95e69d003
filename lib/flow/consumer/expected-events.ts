// The events of one stream whose effects are expected, from the store, commit by commit, each verified against its hash. What
// the store should hold and does not is damage, never a shorter answer.

import type { StreamToCheck } from '../../model/effect-check.ts';
import { StreamDamagedError } from '../../model/errors.ts';
import type { StreamId, Version } from '../../model/ids.ts';
import type { EventStore } from '../event-store/port.ts';
import type { ExpectedEvent } from './verify-port.ts';

/** Why the events could not be read to their end, once that was tried. */
export type EventsUnreadable = () => string | undefined;

export interface ExpectedEvents {
  events: AsyncIterable<ExpectedEvent>;
  /** All were handed out; true without a reader when there is none. */
  isRead(): boolean;
  count(): number;
  unreadable: EventsUnreadable;
}

export function expectedEvents(
  eventStore: Pick<EventStore, 'readCommits'>,
  { streamId, expected }: StreamToCheck,
): ExpectedEvents {
  let isRead = expected.length === 0;
  let count = 0;
  let damage: string | undefined;

  async function* events(): AsyncGenerator<ExpectedEvent> {
    const first = expected[0];
    const last = expected.at(-1);
    if (first === undefined || last === undefined) return;
    let at = 0;
    let next = first.from;
    const commits = eventStore.readCommits(streamId, first.from, { limit: last.to - first.from + 1 });
    for await (const commit of commits) {
      for (const event of commit.events) {
        const { version } = event.metadata;
        if (version < next || version > last.to) continue;
        if (version > next) throw missing(next);
        next = version + 1;
        while ((expected[at]?.to ?? Number.POSITIVE_INFINITY) < version) at += 1;
        const range = expected[at];
        if (range === undefined || version < range.from) continue;
        count += 1;
        yield { event, times: { min: range.min, max: range.max ?? Number.POSITIVE_INFINITY } };
      }
    }
    if (next <= last.to) throw missing(next);
    isRead = true;
  }

  const missing = (version: number) =>
    new StreamDamagedError(streamId as StreamId, version as Version, `no commit holds version ${version}`);

  return {
    events: {
      [Symbol.asyncIterator]: () =>
        noting(events(), (error) => {
          damage ??= error instanceof Error ? error.message : String(error);
        }),
    },
    isRead: () => isRead,
    count: () => count,
    unreadable: () => damage,
  };
}

/** What the reading throws is remembered: user code may catch it, and would then pass. */
async function* noting<T>(events: AsyncGenerator<T>, note: (error: unknown) => void): AsyncGenerator<T> {
  try {
    yield* events;
  } catch (error) {
    note(error);
    throw error;
  }
}
