// The streams of a fill: what each open-gap row still owes, read from the stream's own entries back to the row's beginning.

import type { Log } from '../../flow/log/port.ts';
import type { RegisteredConsumer } from '../../model/consumer.ts';
import type { Version } from '../../model/ids.ts';
import { wantedVersions } from '../gap/moved-streams.ts';
import type { OpenGap } from '../gap/open-gaps.ts';
import { batches } from './planned-rows.ts';
import type { Range } from './ranges.ts';
import type { StreamEvents } from './select-events.ts';

/** Each is a few requests, one after the other. */
const STREAMS_AT_ONCE = 16;

export async function* gapStreams(
  log: Pick<Log, 'streamEntriesBackwards'>,
  consumer: RegisteredConsumer,
  gaps: AsyncIterable<OpenGap>,
): AsyncGenerator<StreamEvents> {
  for await (const some of batches(gaps, STREAMS_AT_ONCE)) {
    const owed = await Promise.all(some.map((gap) => owedRanges(log, consumer, gap)));
    for (const [index, { streamId }] of some.entries()) {
      const ranges = owed[index] as Range[];
      const [first, last] = [ranges[0]?.[0], ranges.at(-1)?.[1]];
      if (first !== undefined) yield { streamId, ranges, first, last };
    }
  }
}

/** The versions from one to another, both included, that the consumer wants. */
export async function owedRanges(
  log: Pick<Log, 'streamEntriesBackwards'>,
  consumer: RegisteredConsumer,
  { streamId, from, to }: Pick<OpenGap, 'streamId' | 'from' | 'to'>,
): Promise<Range[]> {
  const ranges: Range[] = [];
  for await (const entry of log.streamEntriesBackwards(streamId)) {
    if (entry.version + entry.count - 1 < from) break;
    const single = (index: number) => ({
      ...entry,
      version: (entry.version + index) as Version,
      position: (entry.position + index) as typeof entry.position,
      count: 1,
      types: [entry.types[index] as string],
    });
    for (let index = entry.count - 1; index >= 0; index -= 1) {
      const version = (entry.version + index) as Version;
      if (version < from || version > to) continue;
      if (wantedVersions(consumer, single(index), consumer.startPosition) === undefined) continue;
      const next = ranges[0];
      if (next !== undefined && next[0] === version + 1) ranges[0] = [version, next[1]];
      else ranges.unshift([version, version]);
    }
  }
  return ranges;
}
