// What really happened, kept outside the code under test: what producers tried and were promised, what was stored, which
// events each consumer wants, and which effects took place. It has no dedupe and no opinion; the checks ask it.

import type { SimulatedProcess } from '../kernel/process.ts';

export interface StoredEvent {
  streamId: string;
  version: number;
  id: string;
  type: string;
  commitVersion: number;
  commitHash: string;
  /** True time. */
  storedAt: number;
}

export interface Effect {
  consumer: string;
  /** `g<generation>`, or the redelivery that it belongs to. */
  scope: string;
  streamId: string;
  version: number;
  process: SimulatedProcess;
  at: number;
  /** When its react began. */
  begunAt: number;
  /** The marker of this event was already stored as completed when this effect's react began. */
  begunAfterCompletion: boolean;
  /** The engine had given its react up before: nobody can stop what the react had sent or goes on to send. */
  afterAbort: boolean;
  /** Its react has returned. */
  reactEndedWell: boolean;
}

export interface Acknowledged {
  streamId: string;
  firstVersion: number;
  ids: readonly string[];
}

/** Scopes of redeliveries begin with it; every other scope is a generation. */
export const REDELIVER_SCOPE = 'redeliver:';

export interface Ledger {
  /** Ids that a producer has ever sent, by stream. */
  readonly attempted: Map<string, Set<string>>;
  readonly acknowledged: Acknowledged[];
  /** By stream, in version order. */
  readonly stored: Map<string, StoredEvent[]>;
  readonly effects: Map<string, Effect[]>;
  attempt(streamId: string, ids: readonly string[]): void;
  acknowledge(append: Acknowledged): void;
  event(streamId: string, version: number): StoredEvent | undefined;
  head(streamId: string): number;
  /** When the newest event of all was stored. */
  newestAt(): number;
  /** Returns all effects of the same event in the same scope, this one last. */
  effect(effect: Effect): readonly Effect[];
}

export const effectKey = (consumer: string, scope: string, streamId: string, version: number): string =>
  `${consumer}|${scope}|${streamId}|${version}`;

export function createLedger(): Ledger {
  const attempted = new Map<string, Set<string>>();
  const acknowledged: Acknowledged[] = [];
  const stored = new Map<string, StoredEvent[]>();
  const effects = new Map<string, Effect[]>();
  return {
    attempted,
    acknowledged,
    stored,
    effects,
    attempt: (streamId, ids) => {
      const known = attempted.get(streamId) ?? new Set();
      for (const id of ids) known.add(id);
      attempted.set(streamId, known);
    },
    acknowledge: (append) => {
      acknowledged.push(append);
    },
    event: (streamId, version) => stored.get(streamId)?.[version - 1],
    newestAt: () => Math.max(0, ...[...stored.values()].map((events) => events.at(-1)?.storedAt ?? 0)),
    head: (streamId) => stored.get(streamId)?.length ?? 0,
    effect: (effect) => {
      const key = effectKey(effect.consumer, effect.scope, effect.streamId, effect.version);
      const all = effects.get(key) ?? [];
      all.push(effect);
      effects.set(key, all);
      return all;
    },
  };
}
