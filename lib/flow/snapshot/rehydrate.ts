// Folds a stream into its state, from the latest snapshot that fits to the stream and the events after it. A snapshot fits when
// the commit that it names is stored at its version: the chain of hashes then vouches for everything before it. One that does
// not fit is ignored and replaced.

import type { Commit } from '../../model/commit.ts';
import { lastVersion } from '../../model/commit.ts';
import { InvalidInputError } from '../../model/errors.ts';
import type { Event, Json } from '../../model/event.ts';
import { streamId as checkStreamId, type StreamId, type Version } from '../../model/ids.ts';
import type { Clock } from '../../platform/clock.ts';
import { createWorld } from '../../platform/world.ts';
import type { EventStore } from '../event-store/port.ts';
import type { SeenSnapshot, Snapshot, SnapshotKey, Snapshots } from './port.ts';

export interface RehydrateOptions<State> {
  /** State of an empty stream. JSON; it is copied, so that `evolve` may change what it is given. */
  initial: State;
  /** The state after one more event. No clock, no random numbers, no reads: the same events must give the same state. */
  evolve: (state: State, event: Event) => State;
  /** A snapshot is stored when at least so many events came after the last one. @default 100, allowed: 1 to 1,000,000 */
  snapshotEvery?: number;
  /** Which state of the stream, when it is folded in several ways. @default 'state' */
  name?: string;
  /** Raise it with every change of the state's shape or of `evolve`: older snapshots are then ignored. @default 1 */
  schemaVersion?: number;
}

export interface Rehydrated<State> {
  state: State;
  /** Version of the last event in the state: the expected version of the next append. 0 = empty stream. */
  version: Version;
  /** Version of the snapshot that it began from; 0 = it began from `initial`. */
  snapshotVersion: number;
  /** Events that were folded. */
  events: number;
  /**
   * What became of the snapshot: `not-due`: too few events; `not-newer`: somebody else stored one; `too-large`: more than
   * 400 KB, even compressed; `failed`: the table did not answer, the state is right all the same.
   */
  snapshot: 'stored' | 'not-due' | 'not-newer' | 'too-large' | 'failed';
}

export interface RehydratorOptions {
  eventStore: Pick<EventStore, 'readCommits'>;
  snapshots: Snapshots;
  /** @default the machine's clock */
  clock?: Clock;
}

export type Rehydrate = <State>(streamId: string, options: RehydrateOptions<State>) => Promise<Rehydrated<State>>;

const SNAPSHOT_EVERY = 100;
const SNAPSHOT_EVERY_MAX = 1_000_000;
const NAME = /^[a-zA-Z0-9_.-]{1,64}$/;

/**
 * @example
 * const rehydrate = createRehydrate({ eventStore, snapshots });
 * const { state, version } = await rehydrate('order-17', {
 *   initial: { lines: 0 },
 *   evolve: (order, event) => (event.type === 'LineAdded' ? { lines: order.lines + 1 } : order),
 *   schemaVersion: 2,
 * });
 * await eventStore.append('order-17', decide(state), version);
 * @throws InvalidInputError `INVALID_STREAM_ID`, `INVALID_REHYDRATE_OPTIONS`, `SNAPSHOT_STATE_NOT_JSON`; StreamDamagedError
 */
export function createRehydrate({ eventStore, snapshots, clock = createWorld().clock }: RehydratorOptions): Rehydrate {
  return async <State>(rawStreamId: string, options: RehydrateOptions<State>): Promise<Rehydrated<State>> => {
    const streamId = checkStreamId(rawStreamId);
    const { initial, evolve, snapshotEvery = SNAPSHOT_EVERY, name = 'state', schemaVersion = 1 } = checked(options);
    const key: SnapshotKey = { streamId, name, schemaVersion };
    const read = await readable(snapshots, key);
    const usable = read.snapshot && (await foldFrom(eventStore, read.snapshot, evolve));
    const folded = usable ?? (await foldAll(eventStore, streamId, structuredClone(initial), evolve));
    const { state, last, events } = folded;
    const snapshotVersion = usable === undefined ? 0 : (read.snapshot?.version ?? 0);
    const version = (last === undefined ? snapshotVersion : lastVersion(last)) as Version;
    const base = { state, version, snapshotVersion, events };
    if (last === undefined || version - snapshotVersion < snapshotEvery) return { ...base, snapshot: 'not-due' };
    const next = { ...key, version, commitHash: last.hash, state: state as Json, takenAt: clock.now() };
    return { ...base, snapshot: await store(snapshots, next, usable === undefined ? read.seen : undefined) };
  };
}

/** A table that does not answer is no reason to fail: the stream itself can be read. */
async function readable(snapshots: Snapshots, key: SnapshotKey): Promise<{ snapshot?: Snapshot; seen?: SeenSnapshot }> {
  try {
    const read = await snapshots.read(key);
    if (read.kind === 'none') return {};
    return read.kind === 'found' ? { snapshot: read.snapshot, seen: read.seen } : { seen: read.seen };
  } catch {
    return {};
  }
}

async function store(
  snapshots: Snapshots,
  snapshot: Snapshot,
  replacing: SeenSnapshot | undefined,
): Promise<Rehydrated<unknown>['snapshot']> {
  try {
    return (await snapshots.write(snapshot, replacing)).kind;
  } catch (error) {
    if (error instanceof InvalidInputError) throw error;
    return 'failed';
  }
}

interface Folded<State> {
  state: State;
  /** The last commit that is in the state. */
  last?: Commit;
  events: number;
}

/** Undefined: the commit that the snapshot names is not stored at its version. */
async function foldFrom<State>(
  eventStore: Pick<EventStore, 'readCommits'>,
  { streamId, version, commitHash, state }: Snapshot,
  evolve: RehydrateOptions<State>['evolve'],
): Promise<Folded<State> | undefined> {
  let folded: Folded<State> | undefined;
  for await (const commit of eventStore.readCommits(streamId, version)) {
    if (folded === undefined) {
      if (lastVersion(commit) !== version || commit.hash !== commitHash) return undefined;
      folded = { state: state as State, last: commit, events: 0 };
    } else {
      folded = foldCommit(folded, commit, evolve);
    }
  }
  return folded;
}

async function foldAll<State>(
  eventStore: Pick<EventStore, 'readCommits'>,
  streamId: StreamId,
  initial: State,
  evolve: RehydrateOptions<State>['evolve'],
): Promise<Folded<State>> {
  let folded: Folded<State> = { state: initial, events: 0 };
  for await (const commit of eventStore.readCommits(streamId)) folded = foldCommit(folded, commit, evolve);
  return folded;
}

const foldCommit = <State>(
  { state, events }: Folded<State>,
  commit: Commit,
  evolve: RehydrateOptions<State>['evolve'],
): Folded<State> => ({
  state: commit.events.reduce((folded, event) => evolve(folded, event), state),
  last: commit,
  events: events + commit.events.length,
});

/** @throws InvalidInputError `INVALID_REHYDRATE_OPTIONS` */
function checked<State>(options: RehydrateOptions<State>): RehydrateOptions<State> {
  const { evolve, snapshotEvery = SNAPSHOT_EVERY, name = 'state', schemaVersion = 1 } = options;
  const isWhole = (value: unknown, max: number) =>
    Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= max;
  if (typeof evolve !== 'function') throw invalid('evolve', evolve, 'a function of state and event');
  if (!isWhole(snapshotEvery, SNAPSHOT_EVERY_MAX)) {
    throw invalid('snapshotEvery', snapshotEvery, `a whole number from 1 to ${SNAPSHOT_EVERY_MAX}`);
  }
  if (typeof name !== 'string' || !NAME.test(name)) throw invalid('name', name, '1 to 64 letters, digits or _.-');
  if (!isWhole(schemaVersion, Number.MAX_SAFE_INTEGER)) {
    throw invalid('schemaVersion', schemaVersion, `a whole number from 1 to ${Number.MAX_SAFE_INTEGER}`);
  }
  return options;
}

const invalid = (what: string, got: unknown, allowed: string): InvalidInputError =>
  new InvalidInputError('INVALID_REHYDRATE_OPTIONS', {
    what,
    got,
    allowed,
    remedy: `pass another ${what}, or leave it out`,
  });
