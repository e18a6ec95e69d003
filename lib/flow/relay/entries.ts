// What the relay says on the bus, as values. Pure: one entry per event that was just sequenced, and a wake-up of no type
// for a stream of which an earlier try may have said too little.

import type { Commit } from '../../model/commit.ts';
import type { Event } from '../../model/event.ts';
import { type EventDetail, STREAM_MOVED, WAKE_UP_FORMAT } from '../../model/wake-up.ts';
import type { DirectoryEntry, LogPage } from '../log/port.ts';
import type { BusEntry } from './port.ts';

/** One entry per event of the page, in the order of positions. `commits` are the page's commits, in its order. */
export function entriesOfPage(page: LogPage, commits: readonly Commit[]): Extract<BusEntry, { kind: 'event' }>[] {
  return page.entries.flatMap((entry, index) => {
    const commit = commits[index] as Commit;
    return commit.events.map((event, offset) => ({
      kind: 'event' as const,
      detailType: event.type,
      detail: eventDetail(event, commit, entry.position + offset),
    }));
  });
}

const eventDetail = (event: Event, commit: Commit, position: number): EventDetail => ({
  format: WAKE_UP_FORMAT,
  streamId: event.streamId,
  version: event.metadata.version,
  position,
  commitHash: commit.hash,
  commitVersion: commit.version,
  id: event.id,
  type: event.type,
  data: event.data,
  timestamp: event.metadata.timestamp.toISOString(),
  correlationId: event.metadata.correlationId,
  causationId: event.metadata.causationId,
});

/** Every consumer's rule matches it, whatever types it wants. */
export const streamMoved = (sequenced: DirectoryEntry): BusEntry => ({
  kind: 'stream-moved',
  detailType: STREAM_MOVED,
  detail: {
    format: WAKE_UP_FORMAT,
    streamId: sequenced.streamId,
    version: sequenced.version,
    position: sequenced.position,
  },
});
