// The registry: which consumers exist, what they want and from which log position on. Written at deployment by the
// `register-consumer` function, read by consumers at cold start and by every scan, plan and verifier.

import type { ConsumerDeclaration, RegisteredConsumer } from '../../model/consumer.ts';
import type { ConsumerName, Position } from '../../model/ids.ts';

export interface Registration {
  declaration: ConsumerDeclaration;
  queueUrl: string;
  functionName: string;
  /** Id of the deployment that owns the name; another owner is refused with CONSUMER_NAME_TAKEN. */
  owner: string;
}

export interface Registry {
  get(name: ConsumerName): Promise<RegisteredConsumer | undefined>;
  /** All, active and retired. */
  list(): Promise<RegisteredConsumer[]>;
  /**
   * Before the head is read for `register`: says which types will be added, so that no event of them falls between the old code
   * that passes it and the head that makes it history. Does nothing when none is added.
   */
  announce(registration: Registration, now: number): Promise<void>;
  /** Idempotent. `head` = the log's head now: types added later apply from it and get a planned backfill. */
  register(registration: Registration, head: Position, now: number): Promise<RegisteredConsumer>;
  retire(name: ConsumerName, owner: string, now: number): Promise<void>;
  /** The planned backfill was done: the added types now apply from the beginning. */
  completeBackfill(name: ConsumerName, requestedAt: number, now: number): Promise<void>;
}
