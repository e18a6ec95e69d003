// The engine's numbers, each with its arithmetic. All bounds of loops and batches of the consumer are here.

export interface EngineSettings {
  /** Streams of one batch in work at the same time. */
  parallelStreams: number;
  /** Reacted events after which an idempotent consumer persists its progress; also how far an unclean end is suspected. */
  chunkEvents: number;
  /** Progress is persisted at least this often while a stream is in work. */
  chunkMs: number;
  /** Versions resolved without a react (other types) before progress is persisted. */
  quietChunkEvents: number;
  /** Continuations in a row without progress before the message is left to SQS. */
  maxHops: number;
  /** From this hop on a stream is first in its batch and alone, so that its first event has the whole time. */
  precedenceHops: number;
}

export const DEFAULT_SETTINGS: EngineSettings = {
  // A Lambda of 512 MB has about a third of a vCPU: more streams at once only make each of them slower.
  parallelStreams: 4,
  // One checkpoint write (1 WCU) per 25 events is 0.04 WCU an event; after a crash at most 25 events are tried alone.
  chunkEvents: 25,
  chunkMs: 1_000,
  // Reading 1,000 small events takes about 100 ms; a crash repeats at most that.
  quietChunkEvents: 1_000,
  maxHops: 20,
  precedenceHops: 2,
};

/** No react begins with less time than this left ... */
export const STOP_BEFORE_END_MS = 2_500;
/** ... a running one is told to abort at this point: what follows is one write and one SQS send, each retried. */
export const ABORT_BEFORE_END_MS = 1_500;
/** With less than this left nothing is begun: a send with its retries takes longer than that when it is slow. */
export const LEAST_USEFUL_MS = 250;
/** Short timeouts scale the first two down: never more than this share of the invocation. */
export const RESERVED_SHARE = 0.25;
/** SQS: DelaySeconds is at most 900. */
export const MAX_DELAY_SECONDS = 900;
/** How soon a redelivery that met a held lease tries again. */
export const HELD_REDELIVERY_DELAY_SECONDS = 5;
