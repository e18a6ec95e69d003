// Each stream once, with all of its parts, in order of stream ids, in memory that does not grow with the number of streams: an
// external merge sort. Parts are gathered until a bound is reached, then written away as a sorted run; at the end the runs
// are merged. Up to the bound nothing is written.

import { EventRecoveryError } from '../../model/errors.ts';
import type { StreamEvents } from './select-events.ts';

export interface Runs {
  /** Rows in order of stream ids. */
  write(run: number, rows: readonly StreamEvents[]): Promise<void>;
  read(run: number): AsyncIterable<StreamEvents>;
}

/** Streams and ranges held at once: a whole replay had up to 400 bytes live for each, so about 40 MB. */
export const HELD_MAX = 100_000;
/** While merging, each run has one stored piece in memory. 200 x 100,000 parts are more than a log of 20 million commits. */
export const RUNS_MAX = 200;

/** @throws EventRecoveryError `PLAN_TOO_LARGE` */
export async function* sortedStreams(
  parts: AsyncIterable<readonly StreamEvents[]>,
  runs: Runs,
  heldMax: number = HELD_MAX,
): AsyncGenerator<StreamEvents> {
  let held = new Map<string, StreamEvents>();
  let size = 0;
  let written = 0;
  const sorted = (): StreamEvents[] => [...held.values()].sort(byStream);
  for await (const some of parts) {
    for (const part of some) {
      const before = held.get(part.streamId);
      const ranges = before?.ranges.length ?? 0;
      if (before === undefined) held.set(part.streamId, part);
      else join(before, part);
      size += (before === undefined ? 1 : 0) + (before ?? part).ranges.length - ranges;
    }
    if (size < heldMax) continue;
    if (written === RUNS_MAX) throw tooLarge();
    await runs.write(written, sorted());
    written += 1;
    held = new Map();
    size = 0;
  }
  if (written === 0) {
    yield* sorted();
    return;
  }
  const stored = Array.from({ length: written }, (_, run) => runs.read(run));
  yield* merged([...stored, asyncOf(sorted())]);
}

const byStream = (a: StreamEvents, b: StreamEvents): number =>
  a.streamId < b.streamId ? -1 : a.streamId > b.streamId ? 1 : 0;

/** `later` follows `earlier` in the log. Changes `earlier`. */
function join(earlier: StreamEvents, later: StreamEvents): void {
  const last = earlier.ranges.at(-1);
  const [next, ...rest] = later.ranges;
  if (last !== undefined && next !== undefined && last[1] + 1 === next[0]) {
    earlier.ranges[earlier.ranges.length - 1] = [last[0], next[1]];
    for (const range of rest) earlier.ranges.push(range);
  } else {
    for (const range of later.ranges) earlier.ranges.push(range);
  }
  if (later.first !== undefined) earlier.first ??= later.first;
  if (later.last !== undefined) earlier.last = later.last;
}

/** Runs are in log order, so that of one stream the lowest run's part comes first. */
async function* merged(runs: readonly AsyncIterable<StreamEvents>[]): AsyncGenerator<StreamEvents> {
  const iterators = runs.map((run) => run[Symbol.asyncIterator]());
  const heads = await Promise.all(iterators.map((iterator) => iterator.next()));
  const valueAt = (index: number): StreamEvents | undefined => {
    const head = heads[index];
    return head === undefined || head.done ? undefined : head.value;
  };
  for (;;) {
    let lowest: StreamEvents | undefined;
    for (let index = 0; index < heads.length; index += 1) {
      const value = valueAt(index);
      if (value !== undefined && (lowest === undefined || byStream(value, lowest) < 0)) lowest = value;
    }
    if (lowest === undefined) return;
    const whole: StreamEvents = { streamId: lowest.streamId, ranges: [] };
    for (const [index, iterator] of iterators.entries()) {
      // A stream of very many ranges is in several rows of one run.
      for (let value = valueAt(index); value?.streamId === whole.streamId; value = valueAt(index)) {
        join(whole, value);
        heads[index] = await iterator.next();
      }
    }
    yield whole;
  }
}

async function* asyncOf<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}

const tooLarge = (): EventRecoveryError =>
  new EventRecoveryError(
    'PLAN_TOO_LARGE',
    `the selection has more than ${RUNS_MAX * HELD_MAX} parts of streams; remedy: plan it in several ranges of positions`,
    { facts: { runs: RUNS_MAX, held: HELD_MAX } },
  );
