// Which streams moved since the last scan, and what of it each consumer wants: one pass over the log's pages for all
// consumers, up to the head minus a grace period. Costs what moved, not what exists.

import type { Log, LogEntry } from '../../flow/log/port.ts';
import type { RegisteredConsumer } from '../../model/consumer.ts';
import { DRILL_STREAM_PREFIX, type Position, type StreamId } from '../../model/ids.ts';
import type { OwedEvents } from './decide-stream.ts';

export interface Moved {
  /** Per consumer: what each moved stream owes it. */
  owed: Map<string, Map<StreamId, OwedEvents>>;
  /** Position up to which the pages were looked at; the next scan goes on behind it. */
  scannedTo: Position;
  /** False: the grace period or the budget ended the pass before the head. */
  reachedHead: boolean;
  pages: number;
}

export interface MovedInput {
  /** Where each consumer's scan stands. */
  from: ReadonlyMap<string, Position>;
  consumers: readonly RegisteredConsumer[];
  /** Pages sequenced after this moment are left for the next scan. */
  sequencedUntil: number;
  /** Streams over all consumers after which the pass stops; the rest is the next scan's. */
  maxStreams: number;
}

export async function movedStreams(log: Pick<Log, 'pages'>, input: MovedInput): Promise<Moved> {
  const owed = new Map(input.consumers.map(({ name }) => [name as string, new Map<StreamId, OwedEvents>()]));
  const start = Math.min(...input.consumers.map(({ name }) => input.from.get(name) ?? 0));
  let scannedTo = (Number.isFinite(start) ? start : 0) as Position;
  let pages = 0;
  if (input.consumers.length === 0) return { owed, scannedTo, reachedHead: true, pages };

  for await (const page of log.pages(scannedTo)) {
    if (page.sequencedAt > input.sequencedUntil) return { owed, scannedTo, reachedHead: false, pages };
    const streams = [...owed.values()].reduce((sum, of) => sum + of.size, 0);
    if (streams >= input.maxStreams) return { owed, scannedTo, reachedHead: false, pages };
    for (const entry of page.entries) {
      for (const consumer of input.consumers) {
        const after = Math.max(input.from.get(consumer.name) ?? 0, consumer.startPosition);
        const wanted = wantedVersions(consumer, entry, after);
        if (wanted === undefined) continue;
        const of = owed.get(consumer.name) as Map<StreamId, OwedEvents>;
        of.set(entry.streamId, extended(of.get(entry.streamId), wanted, page.sequencedAt));
      }
    }
    scannedTo = page.lastPosition;
    pages++;
  }
  return { owed, scannedTo, reachedHead: true, pages };
}

/** First and last version of the entry's events that the consumer wants, if any. */
export function wantedVersions(
  consumer: Pick<RegisteredConsumer, 'eventTypes' | 'drill'>,
  entry: LogEntry,
  after: number,
  /** Versions up to it are left out. */
  reached = 0,
): { from: number; to: number; count: number } | undefined {
  if (consumer.drill !== entry.streamId.startsWith(DRILL_STREAM_PREFIX)) return undefined;
  const versions = entry.types.flatMap((type, index) => {
    const position = entry.position + index;
    const types: Readonly<Record<string, number>> = consumer.eventTypes;
    const appliesAfter = Object.hasOwn(types, type) ? (types[type] as number) : Number.POSITIVE_INFINITY;
    const isOwed = position > after && position > appliesAfter && entry.version + index > reached;
    return isOwed ? [entry.version + index] : [];
  });
  const [from, to] = [versions[0], versions.at(-1)];
  return from === undefined || to === undefined ? undefined : { from, to, count: versions.length };
}

const extended = (
  before: OwedEvents | undefined,
  { from, to }: { from: number; to: number },
  at: number,
): OwedEvents => ({
  from: before?.from ?? from,
  to,
  oldestAt: before?.oldestAt ?? at,
  newestAt: at,
});
