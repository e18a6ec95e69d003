// What a drill feeds in and which consumers it watches. A workload knows its consumers from outside: which call is the
// effect, and where every effect can be counted.

import type { NewEvent } from '../../model/event.ts';
import type { ObservedCall } from './faults.ts';
import type { Effect } from './ledger.ts';
import type { DrillSystem } from './system.ts';

export interface WatchedConsumer {
  name: string;
  effects: 'transactional' | 'idempotent';
  /** What it does with an event that it gives up on. */
  onPoison: 'park' | 'skip';
  eventTypes: readonly string[];
  /** It has a `verify` of its own: the last recovery must have had its word, beside the drill's own ledger. */
  verifiesEffects?: boolean;
  /** Output that names its queue. */
  queueUrlOutput: string;
  /** The call that carries out its effect. */
  effectCall: { service: string; operation: string };
  /** How AWS refuses such a call for good, as for want of a permission. */
  refusal: { code: string; status: number };
  /** The effect that such a call carries out; undefined when it is another call. */
  effectOf(call: Pick<ObservedCall, 'bodyText'>): Effect | undefined;
  /** True when a call's body is the effect of this event. */
  isEffectOf(bodyText: string, eventId: string): boolean;
}

/** Where every effect that really happened can be counted. */
export interface EffectLog {
  /** All effects of one consumer so far. */
  applied(consumer: string): Promise<Effect[]>;
  stop(): Promise<void>;
}

export interface PlannedStream {
  streamId: string;
  /** One commit each. */
  events: readonly NewEvent[];
}

export interface PlanOptions {
  prefix: string;
  streams: number;
  /** In all, spread evenly. */
  events: number;
  seed: number;
}

export interface Workload {
  name: string;
  consumers: readonly WatchedConsumer[];
  /** New streams for one scenario: their names begin with `prefix`. */
  plan(options: PlanOptions): PlannedStream[];
  openEffectLog(system: DrillSystem, prefix: string): Promise<EffectLog>;
  /** Compares what is read back with what was appended. Returns sentences about differences. */
  compare?(planned: readonly PlannedStream[], system: DrillSystem): Promise<string[]>;
}
