// The recovery branches whose coverage is asserted: counters and log lines that the code under test writes when it takes
// one. Names come from its own constants where there are any, so that a renamed counter is noticed.

import type { EngineCounter } from '../../../lib/flow/consumer/telemetry.ts';
import { RELAY_METRICS } from '../../../lib/flow/relay/dependencies.ts';

const CONSUMER: readonly EngineCounter[] = [
  'EventsResolved',
  'EventsUnwanted',
  'EventsSkipped',
  'ReactFailures',
  'ReactDeadlines',
  'DeadLetters',
  'LeasesHeldByOthers',
  'LeasesLost',
  'StreamsUpToDate',
  'StreamsParked',
  'StreamsDeferred',
  'StreamsAlone',
  'StreamsFailed',
  'Continuations',
  'Retries',
  'StoreReads',
  'MarkersAlreadyCompleted',
  'GroupsSplit',
  'AskedForMore',
  'BackUps',
  'EventsDiscarded',
  'EventsRedelivered',
  'Rewinds',
];

const RELAY: readonly string[] = [
  RELAY_METRICS.eventsSequenced,
  RELAY_METRICS.commitsBackfilled,
  RELAY_METRICS.racesLost,
  RELAY_METRICS.entriesNotPublished,
];

/** The upper floor: counters, and lines of the log where it does not count. */
const UPPER_FLOOR: readonly string[] = [
  'repair: failed batch relayed',
  'scan: GapStreams',
  'scan: LagEvents',
  'scan: ParkedStreams',
  'scan: UnknownConsumers',
  'intake: DeadMessages',
  'intake: dead message not taken in: it comes back',
  'redrive: dead letter given back',
  'scrub: Scrubs',
  'scrub: damage was found',
  'scrub: commits that never reached the log: the relay was woken up',
  'scrub: damage is repaired',
];

const RESTORE: readonly string[] = ['adversary: damage', 'restore: applied', 'restore: crashed'];

const RECOVERY: readonly string[] = ['recovered', 'nothing-to-do', 'proposed', 'NotComplete', 'AlreadyRecovering'];

const SNAPSHOTS: readonly string[] = ['used', 'not used', 'stored', 'not-newer', 'damage'];

const VERIFY: readonly string[] = ['sound', 'damage'];

export const BRANCHES: readonly string[] = [
  ...CONSUMER.map((name) => `consumer: ${name}`),
  ...RELAY.map((name) => `relay: ${name}`),
  ...UPPER_FLOOR,
  ...RESTORE,
  ...RECOVERY.map((name) => `recovery: ${name}`),
  ...SNAPSHOTS.map((name) => `snapshot: ${name}`),
  ...VERIFY.map((name) => `verify: ${name}`),
];
