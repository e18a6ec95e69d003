// Which events a consumer wants. A type that its code declares applies from the log position in the registry on: what came
// before is delivered by a planned backfill, not by the normal way. Everything else counts as resolved without a react.

import type { EventType, StreamId, Version } from '../../model/ids.ts';
import type { Log } from '../log/port.ts';
import type { EngineDeps, RegistrationFacts } from './engine-port.ts';

export interface Interest {
  /** At once where what was looked up before answers it: nearly always. */
  wants(event: { type: EventType; version: Version; position?: number }): boolean | Promise<boolean>;
}

export interface InterestDeps {
  eventTypes: readonly string[];
  registration: EngineDeps['registration'];
  log: Pick<Log, 'versionAtPosition'>;
}

/** For one stream of one batch: what it looked up stays valid that long. */
export function createInterest({ eventTypes, registration, log }: InterestDeps, streamId: StreamId): Interest {
  const declared = new Set(eventTypes);
  const versionsAt = new Map<number, Version>();

  /** Old news is not enough to let an event pass unseen: a registration, or the end of a backfill, may have come since. */
  let fresh: Promise<RegistrationFacts> | undefined;

  const versionAt = async (position: number): Promise<Version> => {
    const known = versionsAt.get(position);
    if (known !== undefined) return known;
    const version = await log.versionAtPosition(streamId, position as never);
    versionsAt.set(position, version);
    return version;
  };

  const isWantedBy = async (
    { eventTypes: registered, startPosition }: RegistrationFacts,
    { type, version, position }: Parameters<Interest['wants']>[0],
  ): Promise<boolean> => {
    // Declared, but not registered: a later registration plans the backfill of everything up to then.
    if (!Object.hasOwn(registered, type)) return false;
    const appliesFrom = registered[type] ?? 0;
    if (appliesFrom <= startPosition) return true;
    return position === undefined ? version > (await versionAt(appliesFrom)) : position > appliesFrom;
  };

  /** Types that are wanted from the stream's first event on. */
  const always = new Set<EventType>();

  const lookUp = async (event: { type: EventType; version: Version; position?: number }): Promise<boolean> => {
    const known = await registration({ fresh: false });
    if (await isWantedBy(known, event)) {
      if ((known.eventTypes[event.type] ?? 0) <= known.startPosition) always.add(event.type);
      return true;
    }
    fresh ??= registration({ fresh: true });
    return isWantedBy(await fresh, event);
  };

  return {
    wants: (event) => always.has(event.type) || (declared.has(event.type) && lookUp(event)),
  };
}
