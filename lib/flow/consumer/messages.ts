// What the engine receives: SQS records after the edge has parsed and validated them. A message is a hint ("this stream
// reached version v"), with the event's body as a courtesy that saves a read; nothing here is trusted to be complete.

import type { Event } from '../../model/event.ts';
import type { StreamId, Version } from '../../model/ids.ts';
import type { QueueMessage } from '../../model/wake-up.ts';

/** One event as the bus carried it. The edge leaves it out when the body was omitted. */
export interface DeliveredEvent {
  event: Event;
  /** Hash of the commit that holds the event: the digest is folded over it. */
  commitHash: string;
  /** Version of that commit's first event. */
  commitVersion: Version;
}

type QueueReason = Extract<QueueMessage, { kind: 'wake-up' }>['reason'];

/**
 * Why a wake-up was sent. `event` and `stream-moved` come from the relay over the bus, the rest straight to the queue.
 * Only deliveries from the bus are held back while a failed event waits for its next try.
 */
export type WakeUpReason = 'event' | 'stream-moved' | QueueReason;

export interface WakeUp {
  kind: 'wake-up';
  streamId: StreamId;
  /** The stream has reached at least this version. */
  version: Version;
  reason: WakeUpReason;
  /** Continuations in a row that made no progress; 0 for deliveries from the bus. */
  hops: number;
  correlationId?: string;
  replayId?: string;
  /** With reason `event`, when the bus carried the body. `event.metadata.version` equals `version`. */
  delivered?: DeliveredEvent;
}

export interface Redeliver {
  kind: 'redeliver';
  streamId: StreamId;
  /** Ascending, without repeats, 1 to 100 of them. */
  versions: Version[];
  replayId: string;
  hops: number;
  /** Failed tries of the first version. @default 0 */
  attempts?: number;
  suppressEffects?: boolean;
  /** Redelivers a version only while its dead letter is open: discarded or resolved meanwhile, it is dropped. */
  whileOpen?: boolean;
  correlationId?: string;
}

export interface ParsedMessage {
  /** SQS message id: what `batchItemFailures` names. */
  messageId: string;
  /** SQS's ApproximateReceiveCount. Never counted as attempts of an event. */
  receiveCount: number;
  body: WakeUp | Redeliver;
}
