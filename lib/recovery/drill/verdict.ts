// Compares the ledger with the effects: what was lost, doubled, repeated, reordered. Pure, and the only judge of a drill;
// checkpoints and dead letters are information beside it.

import type { Effect, LedgerEntry } from './ledger.ts';

export interface ConsumerFacts {
  name: string;
  effects: 'transactional' | 'idempotent';
  eventTypes: readonly string[];
  /** Every effect that is stored or was received, any order, nothing deduplicated. */
  applied: readonly Effect[];
  /** Effects in the order in which they happened. */
  order: readonly Effect[];
  /** Ids of events that it gave up on, went on past and was given again: their effects may come after later ones. */
  mayBeLate?: ReadonlySet<string>;
  /** Injected kills of this consumer: an idempotent effect may be repeated once per kill. */
  kills: number;
  /** Its invocations that were cut off without a kill (out of time on a slow machine): each may repeat one effect per stream. */
  unplannedEnds: number;
  /** Calls that the SDK repeated although they had been carried out: their answers came too late. One repeat each. */
  repeatedCalls?: number;
}

export interface ConsumerVerdict {
  consumer: string;
  effects: 'transactional' | 'idempotent';
  /** Acknowledged events that it must react to. */
  expected: number;
  /** Acknowledged, and no effect. */
  lost: number;
  /** Effects beyond the first of a transactional consumer. Must be 0. */
  doubled: number;
  /** Effects beyond the first of an idempotent one. At most one per kill. */
  repeated: number;
  /** Effects that came after an effect of a later version of their stream; repeats and events that may be late left out. */
  reordered: number;
  /** Effects of events that nobody acknowledged. */
  unknown: number;
  lostEvents: readonly LedgerEntry[];
  kills: number;
  unplannedEnds: number;
  repeatedCalls: number;
}

const keyOf = ({ streamId, eventId }: { streamId: string; eventId: string }): string =>
  JSON.stringify([streamId, eventId]);

export function judge(entries: readonly LedgerEntry[], facts: ConsumerFacts): ConsumerVerdict {
  const expected = entries.filter((entry) => facts.eventTypes.includes(entry.type));
  const times = new Map<string, number>();
  for (const effect of facts.applied) times.set(keyOf(effect), (times.get(keyOf(effect)) ?? 0) + 1);
  const known = new Set(expected.map(keyOf));
  const lostEvents = expected.filter((entry) => !times.has(keyOf(entry)));
  const extra = [...times.values()].reduce((sum, count) => sum + count - 1, 0);
  const isTransactional = facts.effects === 'transactional';
  return {
    consumer: facts.name,
    effects: facts.effects,
    expected: expected.length,
    lost: lostEvents.length,
    doubled: isTransactional ? extra : 0,
    repeated: isTransactional ? 0 : extra,
    reordered: countReordered(facts.order.filter(({ eventId }) => facts.mayBeLate?.has(eventId) !== true)),
    unknown: [...times.keys()].filter((key) => !known.has(key)).length,
    lostEvents,
    kills: facts.kills,
    unplannedEnds: facts.unplannedEnds,
    repeatedCalls: facts.repeatedCalls ?? 0,
  };
}

function countReordered(order: readonly Effect[]): number {
  const highest = new Map<string, number>();
  const seen = new Set<string>();
  let reordered = 0;
  for (const effect of order) {
    const isRepeat = seen.has(keyOf(effect));
    seen.add(keyOf(effect));
    const before = highest.get(effect.streamId) ?? 0;
    if (effect.version < before && !isRepeat) reordered += 1;
    highest.set(effect.streamId, Math.max(before, effect.version));
  }
  return reordered;
}

/** What is wrong with a consumer, as sentences; empty when nothing is. `streams` = how many there are. */
export function problemsOf(verdict: ConsumerVerdict, streams: number): string[] {
  const problems: string[] = [];
  const say = (count: number, text: string): void => {
    if (count > 0) problems.push(`${verdict.consumer}: ${count} ${text}`);
  };
  const first = verdict.lostEvents[0];
  say(verdict.lost, `acknowledged events have no effect, the first is version ${first?.version} of ${first?.streamId}`);
  say(verdict.doubled, 'transactional effects were applied again');
  const explained = verdict.kills + verdict.repeatedCalls + verdict.unplannedEnds * streams;
  say(verdict.repeated - explained, `more repeated effects than ${verdict.kills} injected kills explain`);
  say(verdict.reordered, 'effects came out of order');
  say(verdict.unknown, 'effects belong to no acknowledged event');
  return problems;
}
