// EventBridge delivers at least once and in any order. Here every event comes twice, or late and shuffled.

import type { Scenario } from '../scenario.ts';

const STREAMS = 4;

export const duplicateDelivery: Scenario = {
  name: 'duplicate-delivery',
  summary: 'every event is delivered twice to every consumer',
  async run(context) {
    context.mustFire('a doubled delivery', context.system.faults.bus({ kind: 'duplicate', seed: context.seed }));
    await context.append(context.plan(STREAMS));
  },
};

export const reorderedDelivery: Scenario = {
  name: 'reordered-delivery',
  summary: 'events are delivered shuffled in groups of twenty, a third of them up to two seconds late',
  async run(context) {
    const { faults } = context.system;
    const reorder = faults.bus({ kind: 'reorder', window: 20, seed: context.seed });
    const delay = faults.bus({ kind: 'delay', rate: 0.33, maxDelayMs: 2_000, seed: context.seed + 1 });
    context.mustFire('a reordered delivery', reorder);
    context.mustFire('a late delivery', delay);
    await context.append(context.plan(STREAMS));
  },
};
