// What reading the planned events will cost: the log knows no sizes, so a sample of rows is read exactly as the consumer will
// read them, and the rest is taken for like it. Up to the sample's size the figure is exact.

import { eventsAt } from '../../flow/consumer/events-at.ts';
import { createEventStore } from '../../flow/event-store/event-store.ts';
import type { World } from '../../platform/clock.ts';
import { countUnits } from '../../platform/dynamodb/count-units.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import type { PlannedStream } from './port.ts';
import { versionsOf } from './ranges.ts';

/** 50 reads take about a second; streams of one kind are alike. */
export const SAMPLE_ROWS = 50;
/** A long row's beginning stands for it. */
const EVENTS_MAX = 1_000;

/** Every row is taken with the same chance, however many come (reservoir sampling). */
export function createSample(random: World['random']): { see(row: PlannedStream): void; rows: PlannedStream[] } {
  const rows: PlannedStream[] = [];
  let seen = 0;
  return {
    rows,
    see(row) {
      seen += 1;
      const place = rows.length < SAMPLE_ROWS ? rows.length : Math.floor(random.next() * seen);
      if (place < SAMPLE_ROWS) rows[place] = row;
    },
  };
}

export interface SampleReadsDeps {
  dynamo: Dynamo;
  eventsTable: string;
  logTable: string;
  world: World;
}

/** Read units of all rows together. A stream that cannot be read (damaged) counts as if it were like the others. */
export async function estimateReads(
  { dynamo, ...rest }: SampleReadsDeps,
  sample: readonly PlannedStream[],
  rows: number,
): Promise<number> {
  const reads = countUnits(dynamo);
  const store = createEventStore({ dynamo: reads.dynamo, ...rest });
  let units = 0;
  let measured = 0;
  for (const row of sample) {
    const span = row.to - row.from + 1;
    const read = Math.min(span, EVENTS_MAX);
    try {
      if (row.versions !== undefined) {
        for await (const _ of eventsAt(store, row.streamId, versionsOf(row.versions)));
        units += reads.take().read;
      } else {
        for await (const _ of store.readCommits(row.streamId, row.from, { limit: read }));
        units += (reads.take().read * span) / read;
      }
      measured += 1;
    } catch {
      // The consumer will say the same when it comes there, and record the incident.
      reads.take();
    }
  }
  return measured === 0 ? 0 : (units / measured) * rows;
}
