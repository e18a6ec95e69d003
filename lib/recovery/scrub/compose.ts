// Puts the scrub together over a Dynamo engine. Used by the Lambda function, the simulation and the tests, so that all of
// them run the same scrub.

import { createLog } from '../../flow/log/log.ts';
import { createIncidents } from '../../flow/relay/incidents.ts';
import type { Continuations } from '../../flow/relay/port.ts';
import type { World } from '../../platform/clock.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import type { Logger } from '../../platform/logging.ts';
import type { Metrics } from '../../platform/metrics.ts';
import { createAudit } from '../audit/audit.ts';
import type { LogLag } from '../gap/port.ts';
import { createLeases } from '../lease/leases.ts';
import type { DamageAnnouncements } from './announcements.ts';
import { createFindings } from './findings.ts';
import { createPace } from './pace.ts';
import { createReads } from './reads.ts';
import type { ScrubDeps } from './scrub.ts';
import { SEARCH_PAGES_MAX } from './search-log.ts';
import { createScrubStates } from './state.ts';

export interface ScrubParts {
  dynamo: Dynamo;
  eventsTable: string;
  logTable: string;
  recoveryTable: string;
  /** Wakes the relay for commits that never reached the log. */
  continuations: Continuations;
  announcements: DamageAnnouncements;
  logLag: LogLag;
  /** @default 2,000 */
  searchPages?: number;
  /** `clock` = the DynamoDB server's. */
  world: World;
  logger: Logger;
  metrics: Metrics;
}

/** @example const outcome = await scrub(composeScrub(parts), scrubInput(request, remainingMs, settings)); */
export function composeScrub(parts: ScrubParts): ScrubDeps {
  const {
    dynamo,
    eventsTable,
    logTable,
    recoveryTable,
    logLag,
    searchPages = SEARCH_PAGES_MAX,
    world,
    ...rest
  } = parts;
  const recovery = { dynamo, table: recoveryTable, world };
  const log = createLog({ dynamo, logTable, world });
  return {
    ...rest,
    world,
    states: createScrubStates(recovery),
    findings: createFindings(recovery),
    leases: createLeases(recovery),
    audit: createAudit(recovery),
    incidents: createIncidents({ dynamo, logTable, world }),
    readsFor: (spent) => createReads({ dynamo, eventsTable, logTable, world, spent }),
    paceFor: (unitsPerSecond) => createPace(unitsPerSecond, world),
    logHead: () => log.head(),
    logLagMs: () => logLag.measure(),
    searchPages,
  };
}
