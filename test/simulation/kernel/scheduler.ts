// Virtual time: a queue of timers ordered by (time, order of creation). A step takes the next timer, sets the clock, runs
// it and drains every microtask that it set free; no real timer is involved, so that a seed runs in one go and always in
// the same order.

/** Milliseconds since 1970 at which every run begins. */
export const START_OF_TIME = Date.UTC(2026, 0, 1);

export interface Timer {
  cancel(): void;
}

export interface Scheduler {
  now(): number;
  at(time: number, run: () => void): Timer;
  after(ms: number, run: () => void): Timer;
  /** Runs `check` after every step: invariants that are cheap enough to look at all the time. */
  afterEachStep(check: () => void): void;
  /** Steps until `done()`, or until nothing is left, or until the time is up; tells which. */
  run(options: {
    until: number;
    maxSteps: number;
    done?: () => boolean;
  }): 'done' | 'idle' | 'time-up' | 'too-many-steps';
  readonly steps: number;
}

interface Entry {
  time: number;
  order: number;
  run: (() => void) | undefined;
}

/** `drain` runs all microtasks that are ready, and those that they make ready. */
export function createScheduler(drain: () => void, startAt: number = START_OF_TIME): Scheduler {
  const heap: Entry[] = [];
  const checks: (() => void)[] = [];
  let now = startAt;
  let created = 0;
  let steps = 0;

  const at = (time: number, run: () => void): Timer => {
    if (!Number.isFinite(time)) throw new Error(`a timer needs a finite time, got ${time}`);
    const entry: Entry = { time: Math.max(now, Math.ceil(time)), order: created++, run };
    push(heap, entry);
    return {
      cancel: () => {
        entry.run = undefined;
      },
    };
  };

  return {
    now: () => now,
    at,
    after: (ms, run) => at(now + Math.max(0, ms), run),
    afterEachStep: (check) => {
      checks.push(check);
    },
    run: ({ until, maxSteps, done }) => {
      drain();
      for (let taken = 0; taken < maxSteps; ) {
        if (done?.()) return 'done';
        const entry = heap[0];
        if (entry === undefined) return 'idle';
        if (entry.time > until) {
          now = Math.max(now, until);
          return 'time-up';
        }
        pop(heap);
        const { run } = entry;
        if (run === undefined) continue;
        now = entry.time;
        run();
        drain();
        for (const check of checks) check();
        taken++;
        steps++;
      }
      return 'too-many-steps';
    },
    get steps() {
      return steps;
    },
  };
}

const before = (left: Entry, right: Entry): boolean =>
  left.time < right.time || (left.time === right.time && left.order < right.order);

function push(heap: Entry[], entry: Entry): void {
  let index = heap.length;
  heap.push(entry);
  while (index > 0) {
    const parent = (index - 1) >> 1;
    const above = heap[parent] as Entry;
    if (!before(entry, above)) break;
    heap[index] = above;
    index = parent;
  }
  heap[index] = entry;
}

function pop(heap: Entry[]): void {
  const last = heap.pop() as Entry;
  const size = heap.length;
  if (size === 0) return;
  let index = 0;
  for (;;) {
    let child = 2 * index + 1;
    if (child >= size) break;
    if (child + 1 < size && before(heap[child + 1] as Entry, heap[child] as Entry)) child++;
    if (!before(heap[child] as Entry, last)) break;
    heap[index] = heap[child] as Entry;
    index = child;
  }
  heap[index] = last;
}
