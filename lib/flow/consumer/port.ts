// What a consumer's author writes, and what the consumer needs to send on.

import type { Event } from '../../model/event.ts';
import type { QueueMessage } from '../../model/wake-up.ts';
import type { Write } from '../../platform/dynamodb/port.ts';

export interface ReactContext {
  consumer: string;
  /** 1 for the first try. */
  attempt: number;
  replay?: { mode: 'resume' | 'rewind' | 'redeliver'; id: string };
  correlationId: string;
  /** Milliseconds until the function is ended. */
  remainingMs(): number;
  /** Aborts shortly before the function would be ended. */
  signal: AbortSignal;
}

/** A transactional consumer returns the DynamoDB writes to commit with the checkpoint; an idempotent one nothing. */
export type React = (
  event: Event,
  context: ReactContext,
) => Promise<readonly Write[] | undefined> | readonly Write[] | undefined;

export interface WakeUps {
  /** At least once. Throws when one could not be sent after retries. */
  send(queueUrl: string, messages: readonly { message: QueueMessage; delaySeconds?: number }[]): Promise<void>;
}
