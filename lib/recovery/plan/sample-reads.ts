// What reading the planned events will cost: the log knows no sizes, so a sample of rows is read request by request as the
// consumer will read them, and the rest is taken for like it. Only versions and counts come back: DynamoDB charges for the
// items all the same (Developer Guide, "Query: read capacity"), and nothing has to be decoded. Of rows that are shorter than
// the bound below, and not more than the sample holds, the figure is exact.

import { nearRuns } from '../../flow/consumer/events-at.ts';
import { MAX_PAGE_SIZE } from '../../flow/event-store/read.ts';
import type { StreamId, Version } from '../../model/ids.ts';
import type { World } from '../../platform/clock.ts';
import { countUnits } from '../../platform/dynamodb/count-units.ts';
import { queryAll } from '../../platform/dynamodb/pages.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import type { PlannedStream } from './port.ts';
import { versionsOf } from './ranges.ts';

/** Streams of one kind are alike: 50 reads, a few at a time, take a fraction of a second. */
export const SAMPLE_ROWS = 50;
/** A long row's beginning stands for it. */
const EVENTS_MAX = 200;
/** Of all rows together, about: 20 long streams say enough, and a plan should not read what it only estimates. */
const EVENTS_OF_ALL_MAX = 4_000;
const ROWS_AT_ONCE = 8;

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
}

/** Read units of all rows together. */
export async function estimateReads(
  deps: SampleReadsDeps,
  sample: readonly PlannedStream[],
  rows: number,
): Promise<number> {
  let units = 0;
  let read = 0;
  for (let events = 0; read < sample.length && events < EVENTS_OF_ALL_MAX; read += ROWS_AT_ONCE) {
    const some = sample.slice(read, read + ROWS_AT_ONCE);
    for (const one of await Promise.all(some.map((row) => unitsOf(deps, row)))) units += one;
    events += some.reduce((sum, { from, to }) => sum + Math.min(to - from + 1, EVENTS_MAX), 0);
  }
  return sample.length === 0 ? 0 : (units / Math.min(read, sample.length)) * rows;
}

async function unitsOf({ dynamo, eventsTable }: SampleReadsDeps, row: PlannedStream): Promise<number> {
  const reads = countUnits(dynamo);
  if (row.versions !== undefined) {
    for (const run of nearRuns(versionsOf(row.versions))) {
      const [from, to] = [run[0] as Version, run.at(-1) as Version];
      await readLike(reads.dynamo, eventsTable, row.streamId, from, to - from + 1);
    }
    return reads.take().read;
  }
  const span = row.to - row.from + 1;
  const read = Math.min(span, EVENTS_MAX);
  await readLike(reads.dynamo, eventsTable, row.streamId, row.from, read);
  return (reads.take().read * span) / read;
}

/** The requests of the event store's forward read (lib/flow/event-store/read.ts), without what they carry. */
async function readLike(
  dynamo: Dynamo,
  TableName: string,
  streamId: StreamId,
  from: Version,
  events: number,
): Promise<void> {
  const commits = (operator: '<=' | '>=', Limit: number) =>
    queryAll<{ version: number; count: number }>(dynamo, {
      TableName,
      KeyConditionExpression: `#streamId = :streamId AND #version ${operator} :from`,
      ProjectionExpression: '#version, #count',
      ExpressionAttributeNames: { '#streamId': 'streamId', '#version': 'version', '#count': 'count' },
      ExpressionAttributeValues: { ':streamId': streamId, ':from': from },
      ConsistentRead: true,
      ScanIndexForward: operator === '>=',
      Limit,
    });
  let isFirst = true;
  /** A read that begins inside of a commit looks for that one. */
  const first = async (version?: number): Promise<void> => {
    isFirst = false;
    if (version !== from) for await (const _ of commits('<=', 1)) return;
  };
  for await (const { version, count } of commits('>=', Math.min(events, MAX_PAGE_SIZE))) {
    if (isFirst) await first(version);
    if (version + count >= from + events) return;
  }
  if (isFirst) await first();
}
