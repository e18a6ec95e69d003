// The gap scan's answers, and what it needs from outside.

import type { ConsumerName, Position, StreamId, Version } from '../../model/ids.ts';

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
  /** The first 100; all are open-gap rows. */
  listed: Gap[];
}

export interface ScanResult {
  startedAt: number;
  endedAt: number;
  scannedFrom: Position;
  scannedTo: Position;
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

export const LISTED_MAX = 100;
