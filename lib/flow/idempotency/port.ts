// Markers guard effects outside DynamoDB: "in progress" under a fencing token, then "completed". A marker that is in
// progress is never read as done; a higher token takes over at once.

import type { Write } from '../../platform/dynamodb/port.ts';

export interface MarkerKey {
  consumer: string;
  /** `g<generation>`, or the replay id for redeliveries. */
  scope: string;
  streamId: string;
  version: number;
}

export type BeginResult = { kind: 'begun' } | { kind: 'completed' } | { kind: 'held-by-higher-token'; token: number };

/** Times are milliseconds since 1970 by the server clock. After `expiresAt` a marker protects nothing any more. */
export interface MarkerInput {
  /** The fencing token of the stream's lease. */
  token: number;
  now: number;
  expiresAt: number;
}

export interface Markers {
  /** In progress under an equal token (the retry of this call) or a lower one (its holder is gone): begun. */
  begin(key: MarkerKey, input: MarkerInput): Promise<BeginResult>;
  /** Refused (false) when a higher token took over. */
  complete(key: MarkerKey, input: MarkerInput): Promise<boolean>;
  /** After a failed react: as if it had never begun. Only under the same token. */
  abandon(key: MarkerKey, input: Pick<MarkerInput, 'token'>): Promise<void>;
  /** Begin and complete as one write of a transaction; refused when completed before. */
  completedWrite(key: MarkerKey, input: MarkerInput): Write;
}
