// Plan before apply: every replay, fill, redrive or restore of more than one stream is first a stored plan, a dry run with
// exact numbers, bound to the state that it was made from. Applying it when that state has changed is refused.

import type { ConsumerName, Position, StreamId, Version } from '../../model/ids.ts';

export type PlanAction = 'fill-gaps' | 'resume' | 'rewind' | 'redeliver' | 'redrive' | 'restore';

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
  /** Dead letters only. */
  fingerprint?: string;
  eventId?: string;
}

export interface PlannedStream {
  streamId: StreamId;
  /** First and last version that the action touches. */
  from: Version;
  to: Version;
  /** Events in that range that the consumer reacts to. */
  events: number;
  /** Selected versions, when not the whole range (redeliver). */
  versions?: Version[];
  /** Checkpoint and generation seen: what the plan is bound to. */
  checkpoint: Version;
  generation: number;
}

export interface PlanTotals {
  streams: number;
  events: number;
  /** Events that the consumer has reacted to before and will react to again. */
  expectedRepeats: number;
  wakeUps: number;
  readUnits: number;
  writeUnits: number;
  etaSeconds: number;
}

export interface Plan {
  id: string;
  action: PlanAction;
  consumer?: ConsumerName;
  selection: Selection;
  /** Human words: which consumers, which effects are repeated. */
  blastRadius: string[];
  totals: PlanTotals;
  /** What it was made from; `fingerprint` covers registry entry, head and every planned stream's checkpoint. */
  madeFrom: { deployment: string; head: Position; fingerprint: string };
  requestedBy: string;
  reason: string;
  createdAt: number;
  status: 'planned' | 'applied' | 'stale' | 'cancelled';
  /** Options of the action (rate, canary, suppressEffects, target consumer ...). */
  options: Record<string, unknown>;
  format: number;
}

export interface Plans {
  /** Stores head item and streams in chunks; the streams may be many and are consumed once. */
  save(
    plan: Omit<Plan, 'status' | 'format' | 'totals' | 'madeFrom'> & Pick<Plan, 'totals' | 'madeFrom'>,
    streams: AsyncIterable<PlannedStream>,
  ): Promise<Plan>;
  get(id: string): Promise<Plan | undefined>;
  streams(id: string): AsyncIterable<PlannedStream>;
  /** Conditional on `planned`: two appliers, one winner. */
  markApplied(id: string, now: number): Promise<boolean>;
  markStale(id: string, now: number): Promise<void>;
}
