// Dead letters: one row per event that a consumer gave up on. The row is written in the same transaction as the parked
// checkpoint, so neither exists without the other.

import type { DeadLetter, DeadLetterStatus } from '../../model/dead-letter.ts';
import type { Write } from '../../platform/dynamodb/port.ts';

export interface DeadLetterFilter {
  eventId?: string;
  consumer?: string;
  eventType?: string;
  fingerprint?: string;
  status?: DeadLetterStatus;
  failedFrom?: number;
  failedTo?: number;
}

export interface DeadLetters {
  /** Put, for a transaction with the checkpoint. Keeps `rounds` and `firstFailedAt` of an earlier row of the same id. */
  recordWrite(deadLetter: DeadLetter): Write;
  /** Conditional change of status, for a transaction. */
  statusWrite(
    id: string,
    from: readonly DeadLetterStatus[],
    to: DeadLetterStatus,
    now: number,
    extra?: Record<string, unknown>,
  ): Write;
  get(id: string): Promise<DeadLetter | undefined>;
  /** Page by page, oldest first; uses the index of the most selective field given. */
  list(filter: DeadLetterFilter): AsyncIterable<DeadLetter>;
  /** Those of whose last failure nobody was told, from one end of time; an index: what was told just now may be among them. */
  untold(end: 'oldest' | 'newest', atMost: number): Promise<DeadLetter[]>;
  /** Somebody was told of the failure that was seen; a later one stays untold. */
  markTold(seen: Pick<DeadLetter, 'id' | 'lastFailedAt'>): Promise<void>;
}
