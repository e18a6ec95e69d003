// What it takes to rehydrate a long stream: requests, read units and time, without a snapshot, with one at its end, and with
// one that is half of `snapshotEvery` behind.

import { createEventStore } from '../../flow/event-store/event-store.ts';
import { createRehydrate, type Rehydrated } from '../../flow/snapshot/rehydrate.ts';
import { createSnapshots } from '../../flow/snapshot/snapshots.ts';
import type { Event } from '../../model/event.ts';
import type { CountingDynamo } from './counting-dynamo.ts';
import { benchEvents } from './events.ts';
import type { BenchResult, ScenarioOutcome } from './scenario.ts';

const SCENARIO = 'rehydrate';
export const STREAM_EVENTS = 100_000;
const EVENT_BYTES = 300;
const COMMIT_EVENTS = 100;
const SNAPSHOT_EVERY = 1_000;

export interface RehydrateBench {
  dynamo: CountingDynamo;
  eventsTable: string;
  logTable: string;
  snapshotsTable: string;
  /** 1 = a stream of 100,000 events. */
  effort: number;
  /** Milliseconds, monotonic. */
  nowMs(): number;
  progress(line: string): void;
}

interface Totals {
  events: number;
  bytes: number;
}
const evolve = ({ events, bytes }: Totals, { data }: Event): Totals => ({
  events: events + 1,
  bytes: bytes + JSON.stringify(data).length,
});

export async function measureRehydrate(bench: RehydrateBench): Promise<ScenarioOutcome> {
  const { dynamo, eventsTable, logTable, snapshotsTable, progress } = bench;
  const eventStore = createEventStore({ dynamo, eventsTable, logTable });
  const snapshots = createSnapshots({ dynamo, snapshotsTable });
  const rehydrate = createRehydrate({ eventStore, snapshots });
  const length = Math.max(COMMIT_EVENTS, Math.round((STREAM_EVENTS * bench.effort) / COMMIT_EVENTS) * COMMIT_EVENTS);
  const streamId = `long-${length}`;

  progress(`a stream of ${length} events`);
  let version = 0;
  const append = async (count: number) => {
    ({ version } = await eventStore.append(streamId, benchEvents(count, EVENT_BYTES, `v${version}`), version));
  };
  while (version < length) await append(COMMIT_EVENTS);

  const outcome: ScenarioOutcome = { results: [], broken: [] };
  const measure = async (how: string, snapshotEvery: number): Promise<Rehydrated<Totals>> => {
    dynamo.take();
    const startedAt = bench.nowMs();
    const done = await rehydrate(streamId, { initial: { events: 0, bytes: 0 }, evolve, snapshotEvery });
    const ms = bench.nowMs() - startedAt;
    const { requests, readUnits } = dynamo.take();
    const what = `${how}, stream of ${length} events`;
    const ours = (metric: string, unit: string, value: number): BenchResult => ({
      scenario: SCENARIO,
      subject: 'ours',
      metric: `${metric}, ${what}`,
      unit,
      value,
    });
    outcome.results.push(
      ours('events read', 'events', done.events),
      ours('read requests', 'requests', requests.get + requests.query + requests.batchGet),
      ours('read units', 'RCU', readUnits),
      ours('time', 'ms', ms),
    );
    if (done.state.events !== version) outcome.broken.push(`${what}: the state has ${done.state.events} events`);
    return done;
  };

  const whole = await measure('without a snapshot', Math.min(SNAPSHOT_EVERY, length));
  if (whole.events !== length || whole.snapshot !== 'stored') outcome.broken.push(`no snapshot: ${whole.snapshot}`);
  const fresh = await measure('with a fresh snapshot', SNAPSHOT_EVERY);
  if (fresh.events !== 0) outcome.broken.push(`a fresh snapshot: ${fresh.events} events were read`);
  const behind = SNAPSHOT_EVERY / 2;
  for (let left = behind; left > 0; left -= COMMIT_EVENTS) await append(COMMIT_EVENTS);
  const some = await measure(`with a snapshot ${behind} events behind`, SNAPSHOT_EVERY);
  if (some.events !== behind)
    outcome.broken.push(`a snapshot ${behind} events behind: ${some.events} events were read`);
  return outcome;
}
