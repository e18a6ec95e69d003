// What the verification asks a consumer's function, and what it answers: are the effects of these events there? The verifier
// says what it expects, by its own reading; the consumer's own `verify` looks. Both ends check what they are given.

/** Format of a request and of an answer. */
export const EFFECT_CHECK_FORMAT = 1;

/** Streams in one request: what a function of 10 seconds looks at when each takes a few requests of its own. */
export const CHECKED_STREAMS_MAX = 100;
/** Violations in one answer; all are counted. About 100 KB, far below Lambda's 6 MB. */
export const EFFECT_VIOLATIONS_MAX = 200;
/** Characters of a violation's text; what is longer is cut. */
export const EFFECT_DETAIL_MAX = 500;

/** How often the effects of a run of versions are allowed to be there. */
export interface ExpectedEffects {
  from: number;
  to: number;
  /** 0: the event was given up on, or a replay may have passed it; both answers are right. */
  min: 0 | 1;
  /** 1, or absent: any number of times (at least once, or a replay meant to repeat it). */
  max?: 1;
}

export interface StreamToCheck {
  streamId: string;
  /** The consumer has resolved everything up to this version; of later events nothing is expected yet. */
  checkpoint: number;
  /** Ascending, not overlapping. Versions that stand in none are not this consumer's. */
  expected: ExpectedEffects[];
}

export interface EffectCheckRequest {
  kind: 'verify-effects';
  format: number;
  consumer: string;
  /** In this order, until the time is over. */
  streams: StreamToCheck[];
  /** Also run `verifyWhole`, after the streams. */
  whole?: boolean;
}

/** Why a look at a stream has no answer. */
export type EffectFailure =
  | 'VERIFY_THREW'
  | 'VERIFY_TIMED_OUT'
  | 'VERIFY_ANSWERED_NONSENSE'
  | 'EVENTS_UNREADABLE'
  | 'VERIFY_NOT_CALLED';

export interface FoundEffectViolation {
  streamId?: string;
  version?: number;
  detail: string;
  /** Set when it says that nobody could look. */
  failure?: EffectFailure;
}

export interface EffectCheckAnswer {
  format: number;
  /** So many of the streams were looked at, from the first one on; ask again for the others. */
  checked: number;
  /** Events that `verify` was shown. */
  events: number;
  /** True when `whole` was asked for and there was time for it. */
  wholeChecked: boolean;
  /** The first 200; `violationCount` counts all. */
  violations: FoundEffectViolation[];
  violationCount: number;
}

export const isEffectCheck = (event: unknown): event is { kind: 'verify-effects' } =>
  (event as { kind?: unknown } | null | undefined)?.kind === 'verify-effects';
