// The wake-up: a delivery, read as "this stream moved". It may be late, doubled, reordered or lost: whoever receives it
// compares the version with its own checkpoint and reads what is missing from the store.

/** Version of the message layout. Version N reads N-1. */
export const WAKE_UP_FORMAT = 1;
/** `source` of everything that the relay publishes to the bus. */
export const BUS_SOURCE = 'event-recovery';
/** `source` of what the recovery tells the bus: no consumer's rule matches it. */
export const RECOVERY_SOURCE = `${BUS_SOURCE}.recovery`;
/** `detail-type`: a scan found events that nobody will deliver by himself. */
export const GAPS_FOUND = 'GapsFound';
/** `detail-type`: a scrub found stored data that is not what was appended. */
export const DAMAGE_FOUND = 'DamageFound';
/** `detail-type` of a wake-up that every consumer's rule matches, whatever types it wants. */
export const STREAM_MOVED = '$StreamMoved';

/** `detail` of a bus entry that carries one event. */
export interface EventDetail {
  format: number;
  streamId: string;
  version: number;
  position: number;
  /** Hash of the commit that holds the event, and the commit's first version. */
  commitHash: string;
  commitVersion: number;
  id: string;
  type: string;
  /** Absent when the body does not fit into a bus entry: read it from the store. */
  data?: unknown;
  bodyOmitted?: true;
  timestamp: string;
  correlationId: string;
  causationId: string;
}

/** `detail` of a `$StreamMoved` entry. */
export interface StreamMovedDetail {
  format: number;
  streamId: string;
  version: number;
  position: number;
}

/** `detail-type` of the relay's wake-up to itself: a backfill too long for one invocation goes on. Only its rule matches it. */
export const RELAY_BACKFILL = '$RelayBackfill';

/** `detail` of a `$RelayBackfill` entry. */
export interface BackfillDetail {
  format: number;
  streamId: string;
  /** Commits up to this version are stored and should be sequenced. */
  target: number;
  /** How often this backfill was continued; capped. */
  hops: number;
}

/** Message that a consumer, the intake or a recovery function sends straight to a consumer's queue. */
export type QueueMessage =
  | {
      format: number;
      kind: 'wake-up';
      consumer: string;
      streamId: string;
      /** The stream has reached at least this version. */
      version: number;
      /** How often this wake-up was sent on by its own consumer; capped. */
      hops: number;
      /** `back-up`: in case the holder of a lease dies. `continue`, `retry`: the consumer goes on. The rest: others asked. */
      reason: 'back-up' | 'continue' | 'retry' | 'gap' | 'redrive' | 'rewind' | 'resume' | 'intake';
      correlationId?: string;
      /** Set while a replay drives this wake-up. */
      replayId?: string;
    }
  | {
      format: number;
      kind: 'redeliver';
      consumer: string;
      streamId: string;
      /** Ascending versions, at most 100, all at or below the checkpoint. */
      versions: number[];
      replayId: string;
      hops: number;
      /** Failed tries of the first version: a redelivery has no checkpoint to count on. @default 0 */
      attempts?: number;
      suppressEffects?: boolean;
      /** Sent for dead letters: each version only while its own is open. @default false */
      whileOpen?: boolean;
      correlationId?: string;
    };
