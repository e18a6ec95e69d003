// Faults on the way from a rule to its target: lost, doubled, late and reordered deliveries, chosen by a seeded random.
// EventBridge promises at least once and no order, so a system must live with all but the loss, and repair that.

import type { BusFault, FaultHandle } from '../../recovery/drill/faults.ts';
import { seededRandom, shuffled } from '../../recovery/drill/random.ts';
import { countedHandle } from '../faults/handle.ts';

type Deliver = () => void;

export interface DeliveryFaults {
  /** `ruleName` is physical; undefined aims at every rule. */
  add(fault: BusFault, ruleName: string | undefined): FaultHandle;
  /** Runs `deliver` once, not at all, twice, later, or in another order. */
  pass(ruleName: string, deliver: Deliver): void;
  /** Deliveries held back. */
  readonly held: number;
  /** Takes all faults back and hands over what they hold. */
  clear(): void;
}

interface Active {
  held: ReadonlySet<Deliver>;
  ruleName: string | undefined;
  pass(deliver: Deliver): void;
  release(): void;
}

const DEFAULT_DELAY_MS = 1_000;
const DEFAULT_WINDOW = 10;
/** A reorder group that does not fill up is handed over after this time. */
const REORDER_FLUSH_MS = 500;

export function createDeliveryFaults(): DeliveryFaults {
  const active = new Set<Active>();
  return {
    add(fault, ruleName) {
      const random = seededRandom(fault.seed ?? 1);
      const held = new Set<Deliver>();
      const release = (): void => {
        const group = shuffled([...held], random);
        held.clear();
        for (const deliver of group) deliver();
      };
      const handle = countedHandle(`bus ${fault.kind} on ${ruleName ?? 'every rule'}`, () => {
        active.delete(entry);
        release();
      });
      const entry: Active = {
        ruleName,
        held,
        release,
        pass(deliver) {
          const spent = handle.fired >= (fault.times ?? Number.POSITIVE_INFINITY);
          if (spent || random.next() >= (fault.rate ?? 1)) return deliver();
          handle.fire();
          switch (fault.kind) {
            case 'drop':
              return;
            case 'duplicate':
              deliver();
              return deliver();
            case 'delay':
              held.add(deliver);
              setTimeout(
                () => held.delete(deliver) && deliver(),
                random.next() * (fault.maxDelayMs ?? DEFAULT_DELAY_MS),
              );
              return;
            case 'reorder':
              held.add(deliver);
              if (held.size >= (fault.window ?? DEFAULT_WINDOW)) return release();
              if (held.size === 1) setTimeout(release, REORDER_FLUSH_MS);
          }
        },
      };
      active.add(entry);
      return handle;
    },
    pass(ruleName, deliver) {
      const chain = [...active].filter((entry) => entry.ruleName === undefined || entry.ruleName === ruleName);
      chain.reduceRight<Deliver>((next, entry) => () => entry.pass(next), deliver)();
    },
    get held() {
      return [...active].reduce((sum, entry) => sum + entry.held.size, 0);
    },
    clear() {
      const entries = [...active];
      active.clear();
      for (const entry of entries) entry.release();
    },
  };
}
