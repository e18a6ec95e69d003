// Appends the events of forks again, at the restored head, in the order in which they were stored. Event ids make it
// repeatable: what the stream holds already is not appended a second time.

import { isDeepStrictEqual } from 'node:util';
import type { EventStore } from '../../flow/event-store/port.ts';
import type { Commit } from '../../model/commit.ts';
import { ConcurrencyError, EventRecoveryError } from '../../model/errors.ts';
import type { Event, NewEvent } from '../../model/event.ts';
import type { Objects } from '../archive/objects.ts';
import { quarantined } from './quarantine.ts';
import type { Fork, StreamRow } from './rows.ts';
import { commitIn } from './survey.ts';

export interface ReappendDeps {
  objects: Pick<Objects, 'read'>;
  /** A new one each time: an event store remembers heads, and a restore changes them. */
  openEventStore(): Pick<EventStore, 'append' | 'readStream' | 'getVersion'>;
}

/** Producers go on meanwhile: each lost race means that one of them succeeded. */
const TRIES_MAX = 24;

export async function appendForks(deps: ReappendDeps, row: StreamRow): Promise<Fork[]> {
  const forks: Fork[] = [];
  for (const fork of row.forks) {
    forks.push(fork.outcome === undefined ? { ...fork, ...(await appendFork(deps, row.streamId, fork)) } : fork);
  }
  return forks;
}

async function appendFork(
  deps: ReappendDeps,
  streamId: string,
  fork: Fork,
): Promise<Pick<Fork, 'outcome' | 'newVersion'>> {
  const commit = commitIn(await quarantined(deps.objects, fork.key));
  if (commit === undefined) throw changed(fork);
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const store = deps.openEventStore();
    const there = await eventsFrom(store, streamId, fork.version);
    const known = compare(commit, there);
    if (known !== undefined) return known;
    try {
      const expected = await store.getVersion(streamId);
      const { firstVersion } = await store.append(streamId, commit.events.map(asNew), expected);
      return { outcome: 'appended', newVersion: firstVersion };
    } catch (error) {
      if (!(error instanceof ConcurrencyError)) throw error;
    }
  }
  throw new EventRecoveryError(
    'APPEND_CONTENDED',
    `the events of version ${fork.version} of stream "${streamId}" could not be appended again in ${TRIES_MAX} tries; remedy: apply the plan again`,
    { retryable: true, facts: { streamId, version: fork.version } },
  );
}

/** Undefined: none of its events is there. */
function compare(commit: Commit, there: ReadonlyMap<string, Event>): Pick<Fork, 'outcome' | 'newVersion'> | undefined {
  const twins = commit.events.map((event) => there.get(event.id));
  if (twins.every((twin) => twin === undefined)) return undefined;
  const isSame = commit.events.every((event, index) => {
    const twin = twins[index];
    return twin !== undefined && twin.type === event.type && isDeepStrictEqual(twin.data, event.data);
  });
  const newVersion = twins.find((twin) => twin !== undefined)?.metadata.version;
  return { outcome: isSame ? 'already-there' : 'conflicting', ...(newVersion !== undefined && { newVersion }) };
}

async function eventsFrom(
  store: ReturnType<ReappendDeps['openEventStore']>,
  streamId: string,
  version: number,
): Promise<Map<string, Event>> {
  const events = new Map<string, Event>();
  for await (const event of store.readStream(streamId, Math.max(1, version))) events.set(event.id, event);
  return events;
}

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
