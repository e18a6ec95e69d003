// Sums of a verification: the books of every consumer, what its `verify` said, and the violations, as a verdict. Sums of batches
// add up to the sums of the whole. Pure.

import type { EffectsFound } from './effects.ts';
import type { Asked, StreamLook } from './look.ts';
import type { RegisteredFacts } from './read-facts.ts';
import type { LogPass } from './read-log.ts';
import {
  type Conservation,
  type ConsumerVerdict,
  type EffectsVerdict,
  emptyConservation,
  type Verdict,
  VIOLATIONS_LISTED_MAX,
  type Violation,
} from './types.ts';

/** JSON. `violations`: the first 1,000. */
export interface Sums extends Omit<Verdict, 'ok'> {
  /** Streams in which the boxes of a consumer do not add up. */
  unbalanced: number;
}

export interface Totals {
  /** How many are verified. */
  addStreams(streams: number): void;
  /** `isMoving`: it moved at every look; what `verify` said about events on their way is then not a violation. */
  add(look: StreamLook, options?: { isMoving: boolean }): void;
  /** Of the first look: every stream is in it. */
  addAsked(asked: Asked): void;
  /** Of every look: questions that nobody answered. */
  addUnanswered(asked: Asked): void;
  addLog(log: Pick<LogPass, 'head' | 'violations'>): void;
  addWhole(consumer: string, found: EffectsFound): void;
  /** Of other streams and the same consumers. */
  addSums(sums: Sums): void;
  sums(): Sums;
  verdict(facts: { quiet: boolean }): Verdict;
}

/** @param canAsk somebody here can call the consumers' functions */
export function openTotals(consumers: readonly RegisteredFacts[], canAsk: boolean): Totals {
  const books = new Map<string, ConsumerVerdict>(
    consumers.map(({ name, verifiesEffects }) => [
      name,
      {
        consumer: name,
        conservation: emptyConservation(),
        digestsChecked: 0,
        effects: { ...NOTHING_SAID, status: canAsk && verifiesEffects ? 'verified' : 'not-verified' },
      },
    ]),
  );
  const kinds = new Map(consumers.map(({ name, effects }) => [name, effects]));
  const listed: Violation[] = [];
  const counts = { streams: 0, commits: 0, events: 0, logHead: 0, violationCount: 0, unbalanced: 0 };

  const report = (violations: readonly Violation[], counted = violations.length): void => {
    counts.violationCount += counted;
    listed.push(...violations.slice(0, VIOLATIONS_LISTED_MAX - listed.length));
  };
  const bookOf = (consumer: string): ConsumerVerdict => books.get(consumer) as ConsumerVerdict;
  const addConservation = (book: ConsumerVerdict, conservation: Conservation): void => {
    for (const box of Object.keys(conservation) as (keyof Conservation)[]) book.conservation[box] += conservation[box];
  };

  const addEffects = (consumer: string, found: EffectsFound['violations'], counted = found.length): void => {
    const { effects } = bookOf(consumer);
    const failures = found.filter(({ failure }) => failure !== undefined).length;
    effects.violations += counted - failures;
    effects.status = worse(effects.status, failures > 0 ? 'failed' : counted > 0 ? 'violated' : 'verified');
    report(
      found.map(({ failure, detail, ...of }) => ({
        kind: failure === undefined ? 'effect' : 'effect-not-verified',
        consumer,
        ...of,
        detail: failure === undefined ? detail : `${failure}: ${detail}`,
      })),
      counted,
    );
  };

  return {
    addStreams(streams) {
      counts.streams += streams;
    },

    add({ verdict, violations, effects }, { isMoving } = { isMoving: false }) {
      report(violations);
      counts.commits += verdict.commits;
      counts.events += verdict.head;
      for (const { consumer, conservation, digestChecked } of verdict.consumers) {
        const book = bookOf(consumer);
        if (!adds(conservation)) counts.unbalanced++;
        addConservation(book, conservation);
        if (digestChecked) book.digestsChecked++;
      }
      for (const [consumer, { found, checkpoint }] of effects) {
        const settled = found.filter(
          ({ failure, version }) =>
            failure !== undefined || !isOnItsWay(version, checkpoint, kinds.get(consumer), isMoving),
        );
        addEffects(consumer, settled);
        if (isMoving && settled.length < found.length) bookOf(consumer).effects.unsettled++;
      }
    },

    addAsked(asked) {
      for (const [consumer, { streams, events }] of asked) Object.assign(bookOf(consumer).effects, { streams, events });
    },

    addUnanswered(asked) {
      for (const [consumer, { unanswered }] of asked) if (unanswered.length > 0) addEffects(consumer, unanswered);
    },

    addLog({ head, violations }) {
      counts.logHead = Math.max(counts.logHead, head);
      report(violations);
    },

    addWhole: (consumer, { violations, violationCount }) => addEffects(consumer, violations, violationCount),

    addSums({ consumers: others, violations, logHead, ...more }) {
      report(violations, more.violationCount);
      counts.logHead = Math.max(counts.logHead, logHead);
      for (const field of ['streams', 'commits', 'events', 'unbalanced'] as const) counts[field] += more[field];
      for (const { consumer, conservation, digestsChecked, effects } of others) {
        const book = bookOf(consumer);
        addConservation(book, conservation);
        book.digestsChecked += digestsChecked;
        book.effects.status = worse(book.effects.status, effects.status);
        for (const field of ['streams', 'events', 'violations', 'unsettled'] as const)
          book.effects[field] += effects[field];
      }
    },

    sums: () => ({ ...counts, consumers: [...books.values()], violations: listed }),

    verdict({ quiet }) {
      const verdicts = [...books.values()];
      const isMissing = verdicts.some(
        ({ conservation, effects }) =>
          conservation.gap > 0 || (quiet && (conservation.lagging > 0 || effects.unsettled > 0)),
      );
      const { unbalanced, ...numbers } = counts;
      // The equation holds in every stream, not only in the sum.
      const incomplete = isMissing || unbalanced > 0;
      const ok = numbers.violationCount === 0 && !incomplete;
      return { ok, ...numbers, consumers: verdicts, violations: listed };
    },
  };
}

const NOTHING_SAID = { streams: 0, events: 0, violations: 0, unsettled: 0 };

/**
 * An idempotent consumer's effects may be ahead of its checkpoint at any time, a transactional one's only while it moves. What
 * is said about a version up to the checkpoint is said about something that no longer changes.
 */
function isOnItsWay(
  version: number | undefined,
  checkpoint: number,
  effects: 'transactional' | 'idempotent' | undefined,
  isMoving: boolean,
): boolean {
  if (version !== undefined && version <= checkpoint) return false;
  return isMoving || (version !== undefined && effects === 'idempotent');
}

const SEVERITY: readonly EffectsVerdict['status'][] = ['not-verified', 'verified', 'violated', 'failed'];
const worse = (a: EffectsVerdict['status'], b: EffectsVerdict['status']): EffectsVerdict['status'] =>
  SEVERITY.indexOf(a) >= SEVERITY.indexOf(b) ? a : b;

const adds = ({ appended, ...boxes }: Conservation): boolean =>
  appended === Object.values(boxes).reduce((sum, events) => sum + events, 0);
