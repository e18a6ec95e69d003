// The log, entry by entry, as what each stream's part in a replay is: the versions that the consumer wants, and which of them
// the selection means. One pass over the pages; a single stream is read from its own entries.

import type { Log, LogEntry } from '../../flow/log/port.ts';
import type { RegisteredConsumer } from '../../model/consumer.ts';
import { DRILL_STREAM_PREFIX, type StreamId, type Version } from '../../model/ids.ts';
import type { PlanMode, Selection } from './port.ts';
import { append, type Range } from './ranges.ts';
import { createSelector } from './selection.ts';

/** What one stream has, or the part of it that was seen so far. */
export interface StreamEvents {
  streamId: StreamId;
  /** Redeliveries: the selected versions. Otherwise all that the consumer wants. */
  ranges: Range[];
  /** First and last selected version; absent while none was selected. */
  first?: Version;
  last?: Version;
}

export interface SelectInput {
  consumer: RegisteredConsumer;
  mode: PlanMode;
  selection: Selection;
}

/** In log order, a page at a time: the parts of one stream come in version order, parts without a wanted event are left out. */
export async function* selectEvents(
  log: Pick<Log, 'pages' | 'streamEntriesBackwards'>,
  input: SelectInput,
): AsyncGenerator<StreamEvents[]> {
  const partOf = createPartOf(input);
  for await (const entries of entriesOf(log, input)) {
    const parts: StreamEvents[] = [];
    for (const entry of entries) {
      const part = partOf(entry);
      if (part !== undefined) parts.push(part);
    }
    yield parts;
  }
}

/** Its own redeliveries, and where they are, decide alone about the range that must be read. */
const isRedelivery = (mode: PlanMode): boolean => mode === 'redeliver' || mode === 'backfill';

async function* entriesOf(
  log: Pick<Log, 'pages' | 'streamEntriesBackwards'>,
  { mode, selection }: SelectInput,
): AsyncGenerator<readonly LogEntry[]> {
  const { streamId, fromPosition = 1, toPosition = Number.POSITIVE_INFINITY } = selection;
  if (streamId !== undefined) {
    const entries: LogEntry[] = [];
    for await (const entry of log.streamEntriesBackwards(streamId as StreamId)) entries.push(entry);
    yield entries.reverse();
    return;
  }
  // A rewind repeats everything behind its first event, whatever the range's end; a resume counts from the checkpoint on.
  const begin = mode === 'resume' ? 1 : fromPosition;
  const end = mode === 'rewind' ? Number.POSITIVE_INFINITY : toPosition;
  for await (const page of log.pages(begin - 1, { readAhead: end === Number.POSITIVE_INFINITY })) {
    if (page.firstPosition > end) return;
    yield page.entries;
  }
}

function createPartOf({ consumer, mode, selection }: SelectInput): (entry: LogEntry) => StreamEvents | undefined {
  const isSelected = createSelector(selection);
  const isWanted = mode === 'backfill' ? wantedLater(consumer) : wantedNow(consumer);
  return (entry) => {
    if (consumer.drill !== entry.streamId.startsWith(DRILL_STREAM_PREFIX)) return undefined;
    const part: StreamEvents = { streamId: entry.streamId, ranges: [] };
    for (let index = 0; index < entry.count; index += 1) {
      if (!isWanted(entry, index)) continue;
      const version = (entry.version + index) as Version;
      const selected = isSelected(entry, index);
      if (selected) {
        part.first ??= version;
        part.last = version;
      }
      if (selected || !isRedelivery(mode)) append(part.ranges, version);
    }
    return part.ranges.length > 0 ? part : undefined;
  };
}

type IsWanted = (entry: LogEntry, index: number) => boolean;

const appliesAfter = ({ eventTypes }: RegisteredConsumer, type: string): number => {
  const types: Readonly<Record<string, number>> = eventTypes;
  return Object.hasOwn(types, type) ? (types[type] as number) : Number.POSITIVE_INFINITY;
};

/** What the consumer is owed as the registry stands. */
const wantedNow =
  (consumer: RegisteredConsumer): IsWanted =>
  (entry, index) =>
    entry.position + index > Math.max(consumer.startPosition, appliesAfter(consumer, entry.types[index] as string));

/** The history of the types that wait for their backfill. */
function wantedLater(consumer: RegisteredConsumer): IsWanted {
  const waiting = new Set<string>(consumer.backfill?.eventTypes ?? []);
  return (entry, index) => {
    const type = entry.types[index] as string;
    const position = entry.position + index;
    return waiting.has(type) && position > consumer.startPosition && position <= appliesAfter(consumer, type);
  };
}
