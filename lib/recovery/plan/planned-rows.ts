// The rows of a plan as they come: streams joined with their checkpoints, 100 at a time, and what they add up to.

import type { Checkpoints } from '../../flow/checkpoint/port.ts';
import type { RegisteredConsumer } from '../../model/consumer.ts';
import { add, rowUnits, type Units } from './cost.ts';
import { decideRows } from './decide-rows.ts';
import type { createFingerprint } from './fingerprint.ts';
import type { PlanMode, PlannedStream } from './port.ts';
import type { createSample } from './sample-reads.ts';
import type { StreamEvents } from './select-events.ts';

/** Checkpoints read at once: one BatchGetItem. */
const BATCH = 100;

export interface Tally {
  streams: number;
  rows: number;
  events: number;
  repeats: number;
  parked: number;
  units: Units;
}

export interface JoinInput {
  consumer: RegisteredConsumer;
  mode: PlanMode;
  suppressEffects?: boolean;
  /** Changed while the rows are consumed. */
  tally: Tally;
  fingerprint: ReturnType<typeof createFingerprint>;
  sample: ReturnType<typeof createSample>;
}

export const newTally = (): Tally => ({
  streams: 0,
  rows: 0,
  events: 0,
  repeats: 0,
  parked: 0,
  units: { read: 0, write: 0 },
});

export async function* plannedRows(
  checkpoints: Pick<Checkpoints, 'getMany'>,
  streams: AsyncIterable<StreamEvents>,
  input: JoinInput,
): AsyncGenerator<PlannedStream> {
  for await (const batch of batches(streams, BATCH)) {
    const keys = batch.map(({ streamId }) => ({ consumer: input.consumer.name, streamId }));
    const seen = new Map((await checkpoints.getMany(keys)).map((one) => [one.streamId, one]));
    for (const stream of batch) {
      const decided = decideRows(input.mode, stream, seen.get(stream.streamId), input.suppressEffects);
      if (decided.kind === 'parked') input.tally.parked += 1;
      if (decided.kind !== 'rows') continue;
      input.tally.streams += 1;
      for (const row of decided.rows) {
        note(row, input);
        yield row;
      }
    }
  }
}

function note(row: PlannedStream, { tally, mode, consumer, suppressEffects, fingerprint, sample }: JoinInput): void {
  tally.rows += 1;
  tally.events += row.events;
  tally.repeats += row.repeats;
  tally.units = add(tally.units, rowUnits(mode, consumer, row, { suppressEffects }));
  fingerprint.see(row);
  sample.see(row);
}

export async function* batches<T>(all: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const one of all) {
    batch.push(one);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
