// A queue with a dead-letter queue behind it, as the scenarios use one.

import type { SqsSender } from '../../../lib/flow/consumer/wake-ups.ts';
import type { World } from '../../../lib/platform/clock.ts';

export interface QueueSettings {
  visibilitySeconds: number;
  /** Absent: no redrive policy. */
  maxReceiveCount?: number;
}

export interface Received {
  body: string;
  receiveCount: number;
  handle: string;
}

export interface QueueSubject {
  /** A message of its own. */
  send(body: string, delaySeconds?: number): Promise<void>;
  receive(most?: number): Promise<Received[]>;
  remove(handle: string): Promise<void>;
  /** Bodies of up to ten messages in the dead-letter queue. */
  dead(): Promise<string[]>;
  pass(seconds: number): Promise<void>;
  /** As our own port sends: through `send` of an SQS client. */
  client: SqsSender;
  url: string;
  world: Pick<World, 'timers' | 'random'>;
  /** Runs until this is settled; where time is real, that is just waiting. */
  until<T>(work: () => Promise<T>): Promise<T>;
}
