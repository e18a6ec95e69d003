// What the verifier says. It shares no code with what it judges: own readers, own hash, own fold. Every appended event is
// put into exactly one box per consumer; what fits into no box, or contradicts what is stored, is a violation.

/** Where every event that was appended to a stream is, for one consumer. The boxes add up to `appended`. */
export interface Conservation {
  /** Events of the stream that are this consumer's (after its start position). */
  appended: number;
  /** Reacted to, or of a type that the consumer does not want. */
  resolved: number;
  skipped: number;
  discarded: number;
  /** Events that a stream is parked at. */
  parked: number;
  /** Events behind a parked one. */
  waiting: number;
  /** Not yet resolved, but on the way: a lease is live or the event is younger than the lag bound. */
  lagging: number;
  /** Never resolved although they should be. */
  gap: number;
}

export const emptyConservation = (): Conservation => ({
  appended: 0,
  resolved: 0,
  skipped: 0,
  discarded: 0,
  parked: 0,
  waiting: 0,
  lagging: 0,
  gap: 0,
});

export type ViolationKind =
  | 'store-hash'
  | 'store-chain'
  | 'store-hole'
  | 'store-time'
  | 'store-unreadable'
  | 'log-order'
  | 'log-unreadable'
  | 'log-missing-commit'
  | 'log-unknown-commit'
  | 'log-other-commit'
  | 'directory'
  | 'checkpoint-beyond-head'
  | 'checkpoint-count'
  | 'checkpoint-digest'
  | 'dead-letter-without-park'
  | 'park-without-dead-letter'
  | 'open-gap-unrecorded'
  | 'effect'
  | 'effect-not-verified';

export interface Violation {
  kind: ViolationKind;
  consumer?: string;
  streamId?: string;
  version?: number;
  detail: string;
}

/** What the consumer's own `verify` says about its effects. */
export interface EffectsVerdict {
  /**
   * `failed`: it could not say (it threw, hung, answered nonsense, could not be called). `not-verified`: the consumer has no
   * `verify`, or nobody here can call it; then nothing is known about its effects.
   */
  status: 'verified' | 'violated' | 'failed' | 'not-verified';
  /** Streams and events that `verify` was shown. */
  streams: number;
  events: number;
  violations: number;
  /** Streams that moved at every look, so that what `verify` said may have been about an event on its way. */
  unsettled: number;
}

export interface ConsumerVerdict {
  consumer: string;
  conservation: Conservation;
  /** Prefix digests that were recomputed from the store and agreed. */
  digestsChecked: number;
  effects: EffectsVerdict;
}

export interface Verdict {
  /** No violation, no gap; and nothing lagging or unsettled when quiet was demanded. */
  ok: boolean;
  streams: number;
  commits: number;
  events: number;
  /** Position of the log's last event, as read from its pages. */
  logHead: number;
  consumers: ConsumerVerdict[];
  /** The first 1,000; `violationCount` counts all. */
  violations: Violation[];
  violationCount: number;
}

export const VIOLATIONS_LISTED_MAX = 1_000;
