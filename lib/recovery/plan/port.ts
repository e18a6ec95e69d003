// Plan before apply: every replay, fill or redrive of more than one stream is first a stored plan, a dry run with exact
// numbers, bound to the state that it was made from. Applying it when that state has changed is refused.

import type { ConsumerName, Position, StreamId, Version } from '../../model/ids.ts';

/**
 * - `resume`: catch up from the checkpoint; nothing is repeated.
 * - `rewind`: checkpoint back before the first selected event, then everything after it again, in order.
 * - `redeliver`: the selected events alone, once each, without moving the checkpoint.
 * - `fill`: wake-ups for the consumer's open gaps.
 * - `backfill`: the history of event types that were added later, as redeliveries.
 */
export type PlanMode = 'resume' | 'rewind' | 'redeliver' | 'fill' | 'backfill';

/** What to look at. Fields combine with "and"; an empty selection is refused, `everything: true` says it on purpose. */
export interface Selection {
  everything?: true;
  streamId?: string;
  streamPrefix?: string;
  eventTypes?: string[];
  /** Both ends included. */
  fromPosition?: number;
  toPosition?: number;
  /** recordedAt, both ends included, milliseconds since 1970. */
  fromTimeMs?: number;
  toTimeMs?: number;
}

/** What every stored plan says, whatever operation it is for. */
export interface StoredPlan {
  id: string;
  mode: string;
  /** Human words: which consumers, which effects are repeated. */
  blastRadius: string[];
  totals: PlanTotals;
  /** What it was made from; `fingerprint` covers whatever decides what applying it does. */
  madeFrom: { deployment: string; head: Position; fingerprint: string };
  requestedBy: string;
  reason: string;
  createdAt: number;
  status: 'planned' | 'applied';
  /** Rows in the plan, numbered from 0. */
  rows: number;
  format: number;
}

/** One row of a plan: a stream, or, when more than 100 of its events are redelivered, a part of one. */
export interface PlannedStream {
  streamId: StreamId;
  /** First and last version that the row touches. */
  from: Version;
  to: Version;
  /** Events in that range that the consumer reacts to. */
  events: number;
  /** Of these: reacted to before. */
  repeats: number;
  /** Redeliveries: the selected versions as ascending ranges, both ends included, at most 100 versions. */
  versions?: (readonly [Version, Version])[];
  /** Whose stream; absent where the plan is one consumer's. */
  consumer?: ConsumerName;
  /** The checkpoint that was seen, 0 and 0 when there is none: what the plan is bound to. */
  checkpoint: Version;
  generation: number;
}

export interface PlanTotals {
  streams: number;
  events: number;
  /** Events that the consumer has reacted to before and will react to again. */
  expectedRepeats: number;
  /** Messages to the consumer's queue. */
  wakeUps: number;
  /** Selected streams that wait behind a dead letter and are left out: redrive them. */
  parked: number;
  /** What applying it consumes in the project's own tables. What `react` itself reads and writes is not in it. */
  readUnits: number;
  writeUnits: number;
  /** At the plan's rate. */
  etaSeconds: number;
}

export interface PlanOptions {
  /** Events per second, on average over streams: one stream is given to the consumer at once. */
  ratePerSecond: number;
  /** Share of the finished streams that may have failed, 0 to 1; above it the replay stops. */
  maxFailureRate: number;
  /** Resume, rewind and backfill only: move through the events without a react. */
  suppressEffects?: boolean;
  /** Backfill only: the registry's request that it completes. */
  backfillOf?: number;
}

/** A plan of a replay. */
export interface Plan extends StoredPlan {
  mode: PlanMode;
  consumer: ConsumerName;
  selection: Selection;
  /** `fingerprint` covers the registry entry and the checkpoint of every planned stream. */
  madeFrom: StoredPlan['madeFrom'] & { registry: string };
  options: PlanOptions;
}

export interface Plans<P extends StoredPlan = Plan> {
  /** The rows first, 100 an item, then the plan: a plan that can be read is complete. They are consumed once. */
  save(id: string, rows: AsyncIterable<PlannedStream>, planOf: (rows: number) => P): Promise<P>;
  /** Consistent. A plan of another operation is none. */
  get(id: string): Promise<P | undefined>;
  /** The rows from one number on, in order. */
  rows(id: string, from?: number): AsyncIterable<PlannedStream>;
  /** 100 rows: numbers `chunk * 100` and following. */
  chunk(id: string, chunk: number): Promise<PlannedStream[]>;
}

export const ROWS_PER_CHUNK = 100;
