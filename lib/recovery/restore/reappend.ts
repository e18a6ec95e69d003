// Appends the events of forks again, at the restored head, in the order in which they were stored. Event ids make it
// repeatable: what the stream holds already is not appended a second time.

import { isDeepStrictEqual } from 'node:util';
import type { EventStore } from '../../flow/event-store/port.ts';
import type { Commit } from '../../model/commit.ts';
import { ConcurrencyError, EventRecoveryError } from '../../model/errors.ts';
import type { Event, NewEvent } from '../../model/event.ts';
import type { Objects } from '../archive/objects.ts';
import { quarantined } from './quarantine.ts';
import { type Fork, openForks, type StreamRow } from './rows.ts';
import { commitIn } from './survey.ts';

export interface ReappendDeps {
  objects: Pick<Objects, 'read'>;
  /** A new one each time: an event store remembers heads, and a restore changes them. */
  openEventStore(): Pick<EventStore, 'append' | 'readStream'>;
}

/** Producers go on meanwhile: each lost race means that one of them succeeded. */
const TRIES_MAX = 24;

/**
 * Answers the row's forks after each one that was dealt with.
 * @throws StreamDamagedError when somebody has appended behind a hole meanwhile
 * @throws EventRecoveryError `QUARANTINE_MISSING`, `QUARANTINE_ALTERED`, `APPEND_CONTENDED`
 */
export async function* appendForks(deps: ReappendDeps, { streamId, forks }: StreamRow): AsyncGenerator<Fork[]> {
  const ids = new Set<string>();
  for (const fork of openForks({ forks })) for (const { id } of (await commitOf(deps, fork)).events) ids.add(id);
  if (ids.size === 0) return;
  let there = await eventsThere(deps, streamId, ids);
  let now = forks;
  for (const fork of forks) {
    if (fork.outcome !== undefined) continue;
    const commit = await commitOf(deps, fork);
    let ended: Ended | undefined;
    for (let tries = 0; ended === undefined && tries < TRIES_MAX; tries += 1) {
      ended = compare(commit, there.events) ?? (await tryToAppend(deps, streamId, commit, there));
      there = await eventsThere(deps, streamId, ids, there);
    }
    if (ended === undefined) throw contended(streamId, fork.version);
    now = now.map((one) => (one === fork ? { ...fork, ...ended } : one));
    yield now;
  }
}

type Ended = Pick<Fork, 'outcome' | 'newVersion'>;

/** The events with the wanted ids, wherever they are in the stream, and the version that it ends at. */
interface There {
  events: Map<string, Event>;
  end: number;
}

/** Undefined: somebody else was faster. */
async function tryToAppend(
  deps: ReappendDeps,
  streamId: string,
  commit: Commit,
  { events, end }: There,
): Promise<Ended | undefined> {
  // Some may be there already: a retry that was stored with other events beside it.
  const missing = commit.events.filter(({ id }) => !events.has(id));
  try {
    const { firstVersion } = await deps.openEventStore().append(streamId, missing.map(asNew), end);
    return { outcome: 'appended', newVersion: firstVersion };
  } catch (error) {
    if (error instanceof ConcurrencyError) return undefined;
    throw error;
  }
}

/** Undefined: at least one of its events is not there, and those that are have the same content. */
function compare(commit: Commit, there: ReadonlyMap<string, Event>): Ended | undefined {
  const twins = commit.events.flatMap((event) => {
    const twin = there.get(event.id);
    return twin === undefined ? [] : [{ event, twin }];
  });
  const isSame = twins.every(({ event, twin }) => twin.type === event.type && isDeepStrictEqual(twin.data, event.data));
  if (isSame && twins.length < commit.events.length) return undefined;
  const newVersion = twins[0]?.twin.metadata.version;
  return { outcome: isSame ? 'already-there' : 'conflicting', ...(newVersion !== undefined && { newVersion }) };
}

/** From the beginning, or from where it was read to: an event may have been put back below the fork that repeats it. */
async function eventsThere(
  { openEventStore }: ReappendDeps,
  streamId: string,
  ids: ReadonlySet<string>,
  before: There = { events: new Map(), end: 0 },
): Promise<There> {
  const events = new Map(before.events);
  let { end } = before;
  for await (const event of openEventStore().readStream(streamId, Math.max(1, end))) {
    end = event.metadata.version;
    if (ids.has(event.id)) events.set(event.id, event);
  }
  return { events, end };
}

async function commitOf({ objects }: ReappendDeps, fork: Fork): Promise<Commit> {
  const commit = commitIn(await quarantined(objects, fork.key));
  if (commit === undefined || commit.hash !== fork.hash) throw changed(fork);
  return commit;
}

const contended = (streamId: string, version: number): EventRecoveryError =>
  new EventRecoveryError(
    'APPEND_CONTENDED',
    `the events of version ${version} of stream "${streamId}" could not be appended again in ${TRIES_MAX} tries; remedy: apply the plan again`,
    { retryable: true, facts: { streamId, version } },
  );

/** With its own time: what is not given would become the time of this append. */
const asNew = ({ id, type, data, metadata: { timestamp, correlationId, causationId } }: Event): NewEvent => ({
  id,
  type,
  data,
  metadata: { timestamp, correlationId, causationId },
});

const changed = ({ key }: Fork): EventRecoveryError =>
  new EventRecoveryError(
    'QUARANTINE_ALTERED',
    `the quarantine's object ${key} is not the commit that was put there; remedy: the bucket is versioned, bring the first version back`,
    { facts: { key } },
  );
