// What the relay is made of. Everything comes in from the edge, so that the simulation and the tests run this very code.

import type { World } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logging.ts';
import type { Metrics } from '../../platform/metrics.ts';
import type { Log } from '../log/port.ts';
import type { Backfills } from './backfills.ts';
import type { BackfillLimits } from './budget.ts';
import type { StoredCommits, VerifyCommit } from './gather.ts';
import type { Bus, Continuations, Incidents } from './port.ts';

export interface RelayDependencies {
  log: Log;
  source: StoredCommits;
  verify: VerifyCommit;
  bus: Bus;
  incidents: Incidents;
  backfills: Backfills;
  continuations: Continuations;
  world: Pick<World, 'clock' | 'timers' | 'random'>;
  logger: Logger;
  metrics: Metrics;
  /** @default BATCH_LIMITS and CONTINUATION_LIMITS */
  limits?: { batch?: Partial<BackfillLimits>; continuation?: Partial<BackfillLimits> };
}

/** Names of the relay's metrics; alarms and dashboards use the same constants. */
export const RELAY_METRICS = {
  eventsSequenced: 'EventsSequenced',
  commitsSequenced: 'CommitsSequenced',
  /** Commits that came from the Events table and not from the DynamoDB stream. */
  commitsBackfilled: 'CommitsBackfilled',
  racesLost: 'LogRacesLost',
  /** Time for which the log's head was occupied by a page that was written. Its sum per minute / 60,000 is the utilisation. */
  headBusyMs: 'LogHeadBusyMs',
  /** From recording to sequencing, the oldest commit of a page. */
  sequencingLagMs: 'SequencingLagMs',
  entriesNotPublished: 'EntriesNotPublished',
  incidentsFound: 'IncidentsFound',
  recordsMalformed: 'RecordsMalformed',
  removalsSeen: 'RemovalsSeen',
} as const;
