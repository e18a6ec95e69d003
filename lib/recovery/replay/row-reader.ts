// A plan's rows by their numbers, a few chunks in memory: rows that have no end yet are close together.

import { type PlannedStream, type Plans, ROWS_PER_CHUNK } from '../plan/port.ts';

/** A window of 100 rows touches two chunks; stragglers of a long replay some more. */
const CHUNKS_MAX = 20;

export interface RowReader {
  at(number: number): Promise<PlannedStream>;
}

export function createRowReader(plans: Pick<Plans, 'chunk'>, planId: string): RowReader {
  const chunks = new Map<number, Promise<PlannedStream[]>>();
  return {
    async at(number) {
      const place = Math.floor(number / ROWS_PER_CHUNK);
      const chunk = chunks.get(place) ?? plans.chunk(planId, place);
      // The one used last is the last to go.
      chunks.delete(place);
      chunks.set(place, chunk);
      if (chunks.size > CHUNKS_MAX) chunks.delete(chunks.keys().next().value as number);
      const row = (await chunk)[number - place * ROWS_PER_CHUNK];
      if (row === undefined) throw new Error(`plan ${planId} has no row ${number}`);
      return row;
    },
  };
}
