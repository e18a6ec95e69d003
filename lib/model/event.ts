// The event: an immutable recorded fact. `NewEvent` is what a producer gives, `Event` is what the store gives back.

import type { EventId, EventType, Position, StreamId, Version } from './ids.ts';

/** Anything that survives JSON unchanged. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export interface NewEvent {
  /** Unique inside the stream; the retry of an append is recognised by it. 1 to 128 UTF-8 bytes. */
  id: string;
  /** 1 to 128 characters, no leading `$`. */
  type: string;
  data: Json;
  metadata?: {
    /** When it happened in the producer's world. @default the time of the append */
    timestamp?: Date | string;
    /** Joins everything that one request caused. @default the event's own id */
    correlationId?: string;
    /** Id of the event or command that caused this one. @default the correlation id */
    causationId?: string;
  };
}

export interface Event<Data = Json> {
  id: EventId;
  streamId: StreamId;
  type: EventType;
  data: Data;
  metadata: {
    timestamp: Date;
    version: Version;
    correlationId: string;
    causationId: string;
    /** Place in the log. Absent while the relay has not sequenced the commit, and in reads by stream. */
    position?: Position;
  };
}
