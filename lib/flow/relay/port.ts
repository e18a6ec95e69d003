// What the relay needs besides store and log: a bus to publish on, and a place where damage is recorded.

import type { BackfillDetail, EventDetail, StreamMovedDetail } from '../../model/wake-up.ts';

export type BusEntry =
  | { kind: 'event'; detailType: string; detail: EventDetail }
  | { kind: 'stream-moved'; detailType: string; detail: StreamMovedDetail };

export interface Bus {
  /** At least once. Failed entries were retried one by one; whatever still failed is returned, in order. */
  publish(entries: readonly BusEntry[]): Promise<{ failed: { entry: BusEntry; code: string; message: string }[] }>;
}

/** Sends the relay a wake-up of its own, in which a long backfill goes on. */
export interface Continuations {
  /** At least once. Throws when it could not be sent after retries. */
  send(detail: BackfillDetail): Promise<void>;
}

/** Damage that somebody met while doing something else. Recorded once, never silently passed. */
export interface Incident {
  kind:
    | 'missing-commit'
    | 'hash-mismatch'
    | 'rewritten-history'
    | 'fork'
    | 'truncated-stream'
    | 'malformed-record'
    | 'unsequenced-commit'
    /** The stream directory has lost what the log holds: to go on would give commits a second position. */
    | 'directory-behind-log'
    | 'checkpoint-beyond-head'
    /** Acknowledged events that a restore took away and could not append again; `detail` says where they are kept. */
    | 'events-set-aside'
    | 'stream-trimmed';
  streamId: string;
  version: number;
  detail: string;
  foundBy: string;
  foundAt: number;
  status: 'open' | 'repaired';
}

export interface Incidents {
  /** Idempotent by (kind, streamId, version); a repaired one that is met again is open again. */
  record(incident: Omit<Incident, 'status'>): Promise<void>;
  /** Open incidents, oldest first, page by page. */
  open(): AsyncIterable<Incident>;
  /** True when the stream has an open incident. */
  isDamaged(streamId: string): Promise<boolean>;
  close(incident: Pick<Incident, 'kind' | 'streamId' | 'version'>, repairedAt: number): Promise<void>;
}
