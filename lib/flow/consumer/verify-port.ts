// What a consumer's author writes to have the consumer's own effects verified, and what `verify` is shown.

import type { Event } from '../../model/event.ts';
import type { StreamId, Version } from '../../model/ids.ts';

/** An event whose effect should be there. */
export interface ExpectedEvent {
  event: Event;
  /**
   * How often its effect may be there. Exactly once is `{ min: 1, max: 1 }`. `max` is Infinity for idempotent consumers, and
   * for streams that a replay went through with effects. `min` is 0 for an event that the consumer has given up on.
   */
  times: { min: number; max: number };
}

export interface VerifiedStream {
  streamId: StreamId;
  /** The consumer has resolved everything up to here; effects of later versions may be there already, or not yet. */
  checkpoint: Version;
  /**
   * What the consumer was to react to up to the checkpoint, in order; each commit was verified against its hash. To be read
   * once. The effect of a version up to the checkpoint that is not among them should not be there.
   */
  events: AsyncIterable<ExpectedEvent>;
}

export interface VerifyContext {
  consumer: string;
  /** Milliseconds until the function is ended. */
  remainingMs(): number;
  /** Aborts shortly before the function would be ended: hand it to your requests. */
  signal: AbortSignal;
}

/** What is wrong with the consumer's effects. */
export interface EffectViolation {
  /** Version of the event that it is about. Left out: about the stream as a whole, or about the consumer's whole state. */
  version?: number;
  /** One sentence with the facts; at most 500 characters are kept. */
  detail: string;
}

/**
 * Compares what the consumer did for one stream with its events. Only reads. Runs in the consumer's own function with its own
 * permissions, while the consumer may be working: read your state with consistent reads. An empty array says that all is well;
 * what throws, does not end in time or answers something else is a violation of its own, never a pass.
 * @example
 * verify: async ({ streamId, events }) => {
 *   const rows = await rowsOf(streamId);
 *   const violations = [];
 *   for await (const { event, times } of events) {
 *     const found = rows.filter(({ eventId }) => eventId === event.id).length;
 *     if (found < times.min || found > times.max) {
 *       violations.push({ version: event.metadata.version, detail: `${found} rows of ${event.id}` });
 *     }
 *   }
 *   return violations;
 * }
 */
export type Verify = (stream: VerifiedStream, context: VerifyContext) => Promise<readonly EffectViolation[]>;

/**
 * Compares the consumer's state as a whole with itself, once per verification after all streams: sums against their parts, for
 * example. The consumer may be working meanwhile: judge only what did not move while you looked.
 */
export type VerifyWhole = (context: VerifyContext) => Promise<readonly EffectViolation[]>;
