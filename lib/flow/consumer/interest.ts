// Which events a consumer wants. A type that its code declares applies from the log position in the registry on: what came
// before is delivered by a planned backfill, not by the normal way. Everything else counts as resolved without a react.

import type { EventType, StreamId, Version } from '../../model/ids.ts';
import type { Log } from '../log/port.ts';
import type { EngineDeps, RegistrationFacts } from './engine-port.ts';

export interface Interest {
  wants(event: { type: EventType; version: Version; position?: number }): Promise<boolean>;
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

  const factsFor = async (type: EventType): Promise<RegistrationFacts> => {
    const cached = await registration({ fresh: false });
    // Old news is not enough to let an event pass unseen: a registration may have come after it was cached.
    return Object.hasOwn(cached.eventTypes, type) ? cached : registration({ fresh: true });
  };

  const versionAt = async (position: number): Promise<Version> => {
    const known = versionsAt.get(position);
    if (known !== undefined) return known;
    const version = await log.versionAtPosition(streamId, position as never);
    versionsAt.set(position, version);
    return version;
  };

  return {
    wants: async ({ type, version, position }) => {
      if (!declared.has(type)) return false;
      const facts = await factsFor(type);
      // Declared, but not registered: a later registration plans the backfill of everything up to then.
      if (!Object.hasOwn(facts.eventTypes, type)) return false;
      const appliesFrom = facts.eventTypes[type] ?? 0;
      if (appliesFrom <= facts.startPosition) return true;
      return position === undefined ? version > (await versionAt(appliesFrom)) : position > appliesFrom;
    },
  };
}
