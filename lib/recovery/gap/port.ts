// The gap scan's answers, and what it needs from outside.

import type { ConsumerName, EventType, Position, StreamId, Version } from '../../model/ids.ts';

export interface Gap {
  consumer: ConsumerName;
  streamId: StreamId;
  from: Version;
  to: Version;
  /** Versions from `from` to `to`. */
  count: number;
  oldestAgeSeconds: number;
}

export interface ConsumerScan {
  consumer: ConsumerName;
  /** `unknown`: the log itself is behind its bound, so nobody can say that there are no gaps. */
  state: 'complete' | 'lagging' | 'gaps' | 'unknown';
  gaps: number;
  gapEvents: number;
  lagging: number;
  lagEvents: number;
  /** Age of the oldest unresolved event that is not parked. */
  lagSeconds: number;
  parked: number;
  resolved: number;
  wakeUps: number;
  /** The stored plan of these, when they are for more than one stream. */
  planId?: string;
  /** Why the fill of more than one stream could not be planned: nobody was woken up, the rows wait for the next scan. */
  notPlanned?: string;
  /** When a scan met the oldest and the youngest of the gaps first, milliseconds since 1970; absent without gaps. */
  foundFrom?: number;
  foundTo?: number;
  /** The first 100; all are open-gap rows. */
  listed: Gap[];
  /** Everything that this consumer wants up to here is resolved, parked or an open-gap row. */
  scannedTo: Position;
  /** Open-gap rows that the scan had no time for; the next one looks at them. The state is then not `complete`. */
  notLookedAt: number;
  /** The registry plans a backfill for types that were added later. Not a gap: a replay delivers it. */
  backfill?: { eventTypes: EventType[]; untilPosition: Position; requestedAt: number };
}

export interface ScanResult {
  startedAt: number;
  endedAt: number;
  /** Lowest position of all consumers, before and after. */
  scannedFrom: Position;
  scannedTo: Position;
  /** False: the grace period, the budget or the time ended the scan before the log's head. */
  reachedHead: boolean;
  /** Age of the oldest commit that the log does not have yet; undefined when it could not be measured. */
  logLagMs?: number;
  /** What it read: log pages, checkpoints, open-gap rows. */
  pages: number;
  checkpoints: number;
  openGaps: number;
  consumers: ConsumerScan[];
}

/** How far the log is behind the store. */
export interface LogLag {
  /** Milliseconds; undefined when nobody can say. */
  measure(): Promise<number | undefined>;
}

/** What waits for a consumer outside of our tables. */
export interface QueueSigns {
  /** Messages visible, delayed or in flight; undefined when the queue could not be asked. */
  messages(queueUrl: string): Promise<number | undefined>;
}

/** `detail` of the bus entry that tells the recovery about gaps. Source: `RECOVERY_SOURCE`, detail-type: `GAPS_FOUND`. */
export interface GapsFound {
  format: number;
  consumer: ConsumerName;
  /** When the scan began: with the consumer, the name of its stored result. */
  scannedAt: number;
  /** Evidence: the log up to here was looked at. */
  scannedTo: Position;
  gaps: number;
  gapEvents: number;
  /** When a scan met the oldest and the youngest of all gaps first: whether a recovery that has ended knew them. */
  foundFrom?: number;
  foundTo?: number;
  /** The first few; all of them are open-gap rows. */
  listed: Gap[];
}

/** Tells the recovery. A lost announcement costs a period: the next scan announces what is still a gap. */
export interface Announcements {
  gapsFound(detail: GapsFound): Promise<void>;
}

export const LISTED_MAX = 100;
