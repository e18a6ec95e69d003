// Decides, seeded, whether a fault strikes at an opportunity. Each kind has a generator and a countdown of its own, so that
// leaving one kind out does not move the others, and an opportunity costs one decrement.

import type { Prng } from '../kernel/prng.ts';
import { createPrng } from '../kernel/prng.ts';
import type { Trace } from '../kernel/trace.ts';
import type { FaultKind } from './fault-kinds.ts';

export interface FaultPlan {
  seed: number;
  /** Kinds that may strike, with their probability per opportunity. */
  rates: Partial<Record<FaultKind, number>>;
  /** True time, milliseconds since 1970, between which faults may strike. */
  from: number;
  until: number;
}

export interface Faults {
  /** One opportunity. `where` goes into the trace when it strikes. */
  strikes(kind: FaultKind, where: string): boolean;
  /**
   * Whether a thing (an event for a consumer) has this fault as a lasting property, as long as faults are on. Does not
   * count as a strike: call `record` when it shows.
   */
  marks(kind: FaultKind, thing: string): boolean;
  record(kind: FaultKind, where: string): void;
  /** The generator of a kind, for the details of its strike (how long, which one). */
  details(kind: FaultKind): Prng;
  /** The seed has chosen this kind. */
  isPlanned(kind: FaultKind): boolean;
  /** Something may strike now. */
  areOn(): boolean;
  /** From now on nothing strikes. */
  stop(): void;
  readonly struck: ReadonlyMap<FaultKind, number>;
  /** Strikes of all kinds so far. */
  readonly total: number;
}

interface Countdown {
  left: number;
  rate: number;
  prng: Prng;
  details: Prng;
}

export function createFaults(plan: FaultPlan, now: () => number, trace: Trace): Faults {
  const countdowns = new Map<FaultKind, Countdown>();
  const struck = new Map<FaultKind, number>();
  let stopped = false;
  let total = 0;

  const countdownOf = (kind: FaultKind): Countdown => {
    const known = countdowns.get(kind);
    if (known !== undefined) return known;
    const rate = plan.rates[kind] ?? 0;
    const prng = createPrng(plan.seed, `fault/${kind}`);
    const made = { rate, prng, left: prng.gap(rate), details: createPrng(plan.seed, `fault-details/${kind}`) };
    countdowns.set(kind, made);
    return made;
  };

  const isOn = (): boolean => !stopped && now() >= plan.from && now() < plan.until;

  const record = (kind: FaultKind, where: string): void => {
    struck.set(kind, (struck.get(kind) ?? 0) + 1);
    total++;
    trace.note('fault', `${kind} at ${where}`);
  };

  return {
    record,
    areOn: isOn,
    isPlanned: (kind) => plan.rates[kind] !== undefined,
    marks: (kind, thing) => {
      const rate = plan.rates[kind];
      return rate !== undefined && isOn() && createPrng(plan.seed, `mark/${kind}/${thing}`).chance(rate);
    },
    strikes: (kind, where) => {
      if (plan.rates[kind] === undefined || !isOn()) return false;
      const countdown = countdownOf(kind);
      if (countdown.left > 0) {
        countdown.left--;
        return false;
      }
      countdown.left = countdown.prng.gap(countdown.rate);
      record(kind, where);
      return true;
    },
    details: (kind) => countdownOf(kind).details,
    stop: () => {
      stopped = true;
    },
    struck,
    get total() {
      return total;
    },
  };
}
