// What the engine tells about its work: structured lines and counters. Every line carries consumer, stream, version and
// correlation id; names of counters are stable, because alarms, drills and the simulation's branch coverage use them.

/** Fields of every line; version 0 means "the stream as a whole", an empty correlation id "nobody gave one". */
export interface LineFacts {
  consumer: string;
  streamId: string;
  version: number;
  correlationId: string;
  [fact: string]: unknown;
}

export type EngineCounter =
  | 'EventsResolved'
  | 'EventsUnwanted'
  | 'EventsSkipped'
  | 'EventsDiscarded'
  | 'EventsRedelivered'
  | 'EventsSuppressed'
  | 'ReactFailures'
  | 'ReactDeadlines'
  | 'DeadLetters'
  | 'RedeliveriesGivenUp'
  | 'RedeliveriesDropped'
  | 'LeasesHeldByOthers'
  | 'LeasesLost'
  | 'StreamsUpToDate'
  | 'StreamsParked'
  | 'StreamsWaiting'
  | 'StreamsDeferred'
  | 'StreamsAlone'
  | 'StreamsDamaged'
  | 'StreamsFailed'
  | 'BackUps'
  | 'Continuations'
  | 'Retries'
  | 'Rewinds'
  | 'StoreReads'
  | 'MarkersAlreadyCompleted'
  | 'GroupsSplit'
  | 'AskedForMore';
