// What a plan will consume in the project's own tables, by the requests that the replay and the consumer's engine make. Pure.
// A test compares it with what is then consumed. Units by AWS (Developer Guide, "DynamoDB read and write operations"): a
// write of up to 1 KB is one, in a transaction two; a consistent read of up to 4 KB is one. Checkpoints, markers and open-gap
// rows are below 1 KB. What `react` reads and writes itself is not known here and not in it.

import type { RegisteredConsumer } from '../../model/consumer.ts';
import type { PlanMode, PlannedStream } from './port.ts';

export interface Units {
  read: number;
  write: number;
}

/** Reacted events between two saves of an idempotent consumer (engine setting `chunkEvents`). */
export const CHUNK_EVENTS = 25;

type Facts = Pick<RegisteredConsumer, 'effects'>;

/** A request on the checkpoint, which the next holder of its lease applies. */
const isAskedFor = (mode: PlanMode, suppressEffects: boolean): boolean =>
  mode === 'rewind' || (mode === 'resume' && suppressEffects);

/** One row's writes, and its reads besides those of the events. */
export function rowUnits(
  mode: PlanMode,
  { effects }: Facts,
  row: Pick<PlannedStream, 'from' | 'to' | 'events'>,
  { suppressEffects = false } = {},
): Units {
  const reacted = suppressEffects ? 0 : row.events;
  const take = 1;
  if (mode === 'redeliver' || mode === 'backfill') {
    // Each event: its marker (two writes, or one in a transaction with the checkpoint) and a look for its dead letter.
    const release = 1;
    const each = effects === 'idempotent' ? 2 : 2 + 2;
    return add({ read: reacted, write: take + each * reacted + release }, STREAM_UNITS);
  }
  // Before a save passes an event that the consumer does not want, the registry is asked whether its code is old.
  const passed = Math.max(0, row.to - row.from + 1 - row.events);
  const isIdempotent = effects === 'idempotent';
  const stores = Math.max(1, isIdempotent ? Math.ceil(reacted / CHUNK_EVENTS) : reacted);
  // With the writes of a react in one transaction, a store costs twice.
  const saves = isIdempotent || reacted === 0 ? stores : 2 * stores;
  const markers = isIdempotent ? 2 * reacted : 0;
  const consumer = { read: Math.min(passed, stores), write: take + markers + saves };
  return add(consumer, STREAM_UNITS, ...(isAskedFor(mode, suppressEffects) ? [REWIND_UNITS] : []));
}

/** The checkpoint is compared when the plan is applied, and looked at when the row is finished. */
const STREAM_UNITS: Units = { read: 2, write: 0 };
/**
 * Request and open-gap row in one transaction (2 + 2), after a read of both; the consumer applies it (1).
 */
const REWIND_UNITS: Units = { read: 2, write: 2 + 2 + 1 };

/** Rows between two savings of the replay's progress, at most. */
export const ROWS_PER_STEP = 25;
/** At a low rate fewer: those of so many milliseconds are given together, so that not every small stream is a step of its own. */
export const STEP_MS = 100;

/** What the number of steps depends on. */
export interface Pace {
  rows: number;
  events: number;
  ratePerSecond: number;
}

const rowsPerStep = ({ rows, events, ratePerSecond }: Pace): number => {
  const eventsPerRow = Math.max(1, events / Math.max(1, rows));
  return Math.min(ROWS_PER_STEP, Math.max(1, (ratePerSecond * STEP_MS) / 1_000 / eventsPerRow));
};

/**
 * The replay as a whole: begun and ended in a transaction each (replay, consumer's place, plan, audit: 4 x 2; replay, place:
 * 2 x 2), its lease, its progress per step and per look, the plan's chunks read twice (about 12 KB each).
 */
export const replayUnits = (pace: Pace): Units => {
  const looks = Math.ceil(pace.rows / ROWS_PER_STEP);
  const steps = Math.ceil(pace.rows / rowsPerStep(pace));
  const chunks = Math.ceil(pace.rows / 100);
  return { read: 4 + 2 * looks + 2 * 3 * chunks, write: 12 + 2 + looks + steps };
};

export const add = (...all: readonly Units[]): Units => ({
  read: all.reduce((sum, { read }) => sum + read, 0),
  write: all.reduce((sum, { write }) => sum + write, 0),
});
