// Acknowledged events that a restore could not put back where a reader finds them are told to a human, with the place where they
// are kept.

import type { Incidents } from '../../flow/relay/port.ts';
import type { Clock } from '../../platform/clock.ts';
import { type Fork, openForks, type StreamRow } from './rows.ts';

export interface ForkIncidentDeps {
  incidents: Pick<Incidents, 'record'>;
  world: { clock: Clock };
}

/** Named in one incident; all of them are in the restore's row. */
const KEYS_MAX = 10;

/** Commits that were taken away and are not appended again yet, because the stream could not be repaired. */
export const recordOpenForks = (deps: ForkIncidentDeps, row: StreamRow): Promise<void> =>
  record(
    deps,
    row,
    openForks(row),
    'made way and are not appended again yet: plan and apply a restore of this stream again, it takes them over',
  );

/** Forks with event ids that the stream holds with other content. */
export const recordConflicts = (deps: ForkIncidentDeps, row: StreamRow): Promise<void> =>
  record(
    deps,
    row,
    row.forks.filter(({ outcome }) => outcome === 'conflicting'),
    'made way and are not appended again, because the stream holds their event ids with other content: compare them',
  );

async function record(
  { incidents, world }: ForkIncidentDeps,
  { streamId }: StreamRow,
  forks: readonly Fork[],
  what: string,
): Promise<void> {
  const [first] = forks;
  if (first === undefined) return;
  const keys = forks.slice(0, KEYS_MAX).map(({ key }) => key);
  await incidents.record({
    kind: 'events-set-aside',
    streamId,
    version: first.version,
    detail: `${forks.length} acknowledged commits ${what}; kept in the archive bucket under ${keys.join(', ')}`,
    foundBy: 'restore-commits',
    foundAt: world.clock.now(),
  });
}
