// Markers guard effects outside DynamoDB: "in progress" under a fencing token, then "completed". A marker that is in
// progress is never read as done; a higher token takes over at once.

export interface MarkerKey {
  consumer: string;
  /** `g<generation>`, or the replay id for redeliveries. */
  scope: string;
  streamId: string;
  version: number;
}

export type BeginResult = { kind: 'begun' } | { kind: 'completed' } | { kind: 'held-by-higher-token'; token: number };

export interface Markers {
  begin(key: MarkerKey, input: { token: number; now: number; expiresAt: number }): Promise<BeginResult>;
  /** Refused (false) when a higher token took over. */
  complete(key: MarkerKey, input: { token: number; now: number; expiresAt: number }): Promise<boolean>;
  /** After a failed react: allow the next try at once. Only under the same token. */
  abandon(key: MarkerKey, input: { token: number }): Promise<void>;
}
