// The checkpoint: per (consumer, stream) the highest version v such that 1..v are all resolved, and everything that must
// change atomically with it.

import type { ConsumerName, StreamId, Version } from './ids.ts';

export const CHECKPOINT_FORMAT = 1;

export interface Lease {
  /** Who holds it: unique per acquisition, not per process. */
  owner: string;
  /** Milliseconds since 1970 by the server clock; a contender may take over after it. */
  until: number;
  /** `alone`: the holder works event by event, this stream alone, so that an unclean end has exactly one culprit. */
  mode: 'shared' | 'alone';
}

export interface Attempting {
  version: Version;
  /** Tries begun whose end is known to be this event's fault, or that run alone right now. */
  count: number;
  firstFailedAt: number;
  /** Absent when the last try ended without a word (crash, timeout, out of memory). */
  lastError?: { name: string; message: string; stack?: string };
  /** Deliveries from the bus wait until then (server clock); the consumer's own delayed wake-up does not. */
  retryAt?: number;
}

export interface Parked {
  version: Version;
  deadLetterId: string;
  since: number;
}

/** What the operator decided about the dead letter that the stream was parked behind; applied by the next lease holder. */
export interface Redriving {
  version: Version;
  deadLetterId: string;
  /** `discard`: the event is passed without a react, with outcome `discarded`. */
  decision: 'retry' | 'discard';
}

/** A dead letter of this stream, by the parts of its id that the checkpoint does not know already. */
export interface DeadLetterLink {
  generation: number;
  version: Version;
}

/** Applied by the next lease holder: checkpoint back to `to`, generation + 1. */
export interface RewindRequest {
  to: Version;
  requestId: string;
  requestedAt: number;
  suppressEffects?: boolean;
  /** A resume without effects instead: the checkpoint stays where it is, and what follows up to here is passed without a react. */
  passTo?: Version;
}

export interface Checkpoint {
  consumer: ConsumerName;
  streamId: StreamId;
  /** 0 = nothing resolved. */
  version: Version;
  /** 1-based; a rewind begins the next one. Single effect is promised per generation. */
  generation: number;
  /** The version that this generation began after. */
  generationStart: Version;
  /** Versions resolved in this generation: version - generationStart. */
  resolvedCount: number;
  /** Hash folded over (version, commit hash, outcome) of this generation, see `foldDigest`. */
  resolvedDigest: string;
  /** Highest version that anybody asked for. */
  wanted: Version;
  /** Fencing token: grows by one with every acquisition, survives the release. */
  token: number;
  lease?: Lease;
  /**
   * A wake-up was sent that arrives not before this time (server clock). Whoever meets another holder acknowledges its message
   * only when such a wake-up lies ahead: then the work goes on whatever becomes of the holder and of its message.
   */
  backUpAt?: number;
  attempting?: Attempting;
  parked?: Parked;
  redriving?: Redriving;
  /**
   * The newest dead letter that no rewind superseded; each row names the one before it, versions strictly descending. So
   * the dead letters of a stream are found by consistent reads, without an index.
   */
  lastDeadLetter?: DeadLetterLink;
  rewind?: RewindRequest;
  /** The request that was applied last: the retry of a request is recognised by it. */
  lastRewindId?: string;
  /** Set while the generation is a replay. `until` = highest version that an earlier generation had resolved. */
  replay?: { id: string; until: Version; suppressEffects?: boolean };
  /** Up to here somebody had events passed without their effects: a verification cannot demand these. */
  passedTo?: Version;
  /**
   * The newest redelivery that worked here: up to which version it came and when, how many events of it failed for good, and the
   * last of these. What tells a replay that a part of it is done, and that it goes on.
   */
  redelivered?: { id: string; through: Version; failed: number; lastFailed?: Version; at?: number };
  updatedAt: number;
  format: number;
}

/** How a version was resolved. Types that a consumer does not want count as `resolved`. */
export type Outcome = 'resolved' | 'skipped' | 'discarded';
