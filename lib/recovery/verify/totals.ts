// Sums of a verification: the books of every consumer, what its `verify` said, and the violations, as a verdict. Pure.

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

export interface Totals {
  /** `isMoving`: it moved at every look; what `verify` said about events on their way is then not a violation. */
  add(look: StreamLook, options?: { isMoving: boolean }): void;
  /** Of the first look: every stream is in it. */
  addAsked(asked: Asked): void;
  /** Of every look: questions that nobody answered. */
  addUnanswered(asked: Asked): void;
  addLog(log: Pick<LogPass, 'head' | 'violations'>): void;
  addWhole(consumer: string, found: EffectsFound): void;
  verdict(facts: { streams: number; quiet: boolean }): Verdict;
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
  const sums = { count: 0, commits: 0, events: 0, logHead: 0, unbalanced: 0 };

  const report = (violations: readonly Violation[], counted = violations.length): void => {
    sums.count += counted;
    listed.push(...violations.slice(0, VIOLATIONS_LISTED_MAX - listed.length));
  };
  const bookOf = (consumer: string): ConsumerVerdict => books.get(consumer) as ConsumerVerdict;

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
    add({ verdict, violations, effects }, { isMoving } = { isMoving: false }) {
      report(violations);
      sums.commits += verdict.commits;
      sums.events += verdict.head;
      for (const { consumer, conservation, digestChecked } of verdict.consumers) {
        const book = bookOf(consumer);
        if (!adds(conservation)) sums.unbalanced++;
        for (const box of Object.keys(conservation) as (keyof Conservation)[])
          book.conservation[box] += conservation[box];
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
      sums.logHead = head;
      report(violations);
    },

    addWhole: (consumer, { violations, violationCount }) => addEffects(consumer, violations, violationCount),

    verdict({ streams, quiet }) {
      const verdicts = [...books.values()];
      const isMissing = verdicts.some(
        ({ conservation, effects }) =>
          conservation.gap > 0 || (quiet && (conservation.lagging > 0 || effects.unsettled > 0)),
      );
      // The equation holds in every stream, not only in the sum.
      const incomplete = isMissing || sums.unbalanced > 0;
      return {
        ok: sums.count === 0 && !incomplete,
        streams,
        commits: sums.commits,
        events: sums.events,
        logHead: sums.logHead,
        consumers: verdicts,
        violations: listed,
        violationCount: sums.count,
      };
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
