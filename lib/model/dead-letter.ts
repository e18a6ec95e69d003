// The dead letter: an event that a consumer gave up on, with the reason. One per (consumer, stream, version, generation).

import type { DeadLetterLink } from './checkpoint.ts';
import type { ConsumerName, EventId, EventType, StreamId, Version } from './ids.ts';

export const DEAD_LETTER_FORMAT = 1;

/**
 * - `parked`: the stream waits behind it.
 * - `skipped`: the consumer went on past it (`onPoison: 'skip'`).
 * - `redriving`: un-parked, the consumer tries again.
 * - `resolved`: a later try succeeded. `discarded`: given up for good, with a reason. `superseded`: a rewind replayed its range.
 */
export type DeadLetterStatus = 'parked' | 'skipped' | 'redriving' | 'resolved' | 'discarded' | 'superseded';

export interface DeadLetter {
  /** `consumer#generation#version#streamId`. */
  id: string;
  consumer: ConsumerName;
  streamId: StreamId;
  version: Version;
  generation: number;
  eventId: EventId;
  eventType: EventType;
  correlationId: string;
  error: { name: string; message: string; stack?: string };
  /** SHA-256 prefix over consumer, error name, normalised message and top frame: equal for failures with one cause. */
  fingerprint: string;
  attempts: number;
  /** Redrives so far; capped. */
  rounds: number;
  status: DeadLetterStatus;
  firstFailedAt: number;
  lastFailedAt: number;
  updatedAt: number;
  discardReason?: string;
  /** The redrive run that touched it last: one run gives a dead letter back once. */
  lastRunId?: string;
  /** With which outcome the checkpoint passed the event, as folded into the digest; absent: not passed, or `resolved`. */
  passedAs?: 'skipped' | 'discarded';
  /** The dead letter of the same consumer and stream before this one. */
  previous?: DeadLetterLink;
  /** Nobody was told of its last failure yet. */
  untold?: 'yes';
  format: number;
}
