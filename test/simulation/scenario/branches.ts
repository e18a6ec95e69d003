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
];

const RELAY: readonly string[] = [
  RELAY_METRICS.eventsSequenced,
  RELAY_METRICS.commitsBackfilled,
  RELAY_METRICS.racesLost,
  RELAY_METRICS.entriesNotPublished,
];

export const BRANCHES: readonly string[] = [
  ...CONSUMER.map((name) => `consumer: ${name}`),
  ...RELAY.map((name) => `relay: ${name}`),
];
