// What the engine tells about its work: structured lines and counters, through ports that Powertools' Logger and Metrics
// satisfy with one line each. Every line carries consumer, stream, version and correlation id.

/** Fields of every line; `version` 0 and an empty correlation id mean "of the stream as a whole". */
export interface LineFields {
  consumer: string;
  streamId: string;
  version: number;
  correlationId: string;
  [field: string]: unknown;
}

export interface EngineLogger {
  info(message: string, fields: LineFields): void;
  warn(message: string, fields: LineFields): void;
  error(message: string, fields: LineFields): void;
}

/** Names are stable: alarms, drills and the simulation's branch coverage use them. */
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
  | 'DeadLettersResolved'
  | 'RedeliveriesGivenUp'
  | 'RedeliveriesDropped'
  | 'LeasesHeldByOthers'
  | 'LeasesLost'
  | 'StreamsUpToDate'
  | 'StreamsParked'
  | 'StreamsDeferred'
  | 'StreamsAlone'
  | 'StreamsDamaged'
  | 'StreamsFailed'
  | 'Continuations'
  | 'Retries'
  | 'Rewinds'
  | 'StoreReads'
  | 'MarkersAlreadyCompleted'
  | 'GroupsSplit'
  | 'AskedForMore';

export interface EngineMetrics {
  count(name: EngineCounter, value?: number): void;
  /** How long one `react` took. */
  reactDurationMs(value: number): void;
}
