// What a consumer declares: the facts that synth, registry, runtime and recovery share.

import type { ConsumerName, EventType, Position } from './ids.ts';

export interface ConsumerDeclaration {
  /** Lower-case letters, digits, dashes; unique in the deployment. */
  name: string;
  /** Types that it reacts to. Every other type counts as resolved for it. */
  eventTypes: readonly string[];
  /** `transactional`: react returns DynamoDB writes, committed with the checkpoint. `idempotent`: effects elsewhere, at least once. */
  effects: 'transactional' | 'idempotent';
  /** What happens after the last attempt. @default 'park' */
  onPoison?: 'park' | 'skip';
  /** Where a new consumer begins. @default 'beginning' */
  startFrom?: 'beginning' | 'now';
  /** Attempts per event before it becomes a dead letter. 1 to 10. @default 3 */
  maxAttempts?: number;
  /**
   * Transactional only: commit the writes of several events of one stream together. Only safe when `react` does not
   * read what an earlier event of the same stream writes. @default false
   */
  groupCommits?: boolean;
  /** Consumes rehearsal streams (`drill-`) only. @default false */
  drill?: boolean;
  /**
   * Its code defines `verify`: the verification then asks its function whether the effects of the events are there.
   * @default false: the report says "not verified"
   */
  verifiesEffects?: boolean;
}

/** One consumer as the registry knows it. */
export interface RegisteredConsumer {
  name: ConsumerName;
  /** Each type with the log position after which it applies. */
  eventTypes: Record<EventType, Position>;
  effects: 'transactional' | 'idempotent';
  onPoison: 'park' | 'skip';
  startFrom: 'beginning' | 'now';
  /** 0 for `beginning`; the log's head at registration for `now`. Events at or before it are not this consumer's. */
  startPosition: Position;
  status: 'active' | 'retired';
  drill: boolean;
  /** Absent: no. */
  verifiesEffects?: boolean;
  queueUrl: string;
  functionName: string;
  /** Who registered it: the deployment's own id; another owner is refused. */
  owner: string;
  registeredAt: number;
  updatedAt: number;
  /**
   * Types that a registration is about to add, written before it reads the log's head: code that does not know them and still
   * runs must not pass events of them. Gone when the registration is complete.
   */
  announced?: EventType[];
  /**
   * Types that were added later and whose history is still to be delivered by a planned backfill: for each type the
   * positions after `startPosition` up to its own one in `eventTypes`; `untilPosition` is the highest of these.
   */
  backfill?: {
    eventTypes: EventType[];
    untilPosition: Position;
    requestedAt: number;
    /** When each of them was added, so that a plan completes only the types that it knew. */
    requestedAtByType?: Record<EventType, number>;
  };
  format: number;
}
