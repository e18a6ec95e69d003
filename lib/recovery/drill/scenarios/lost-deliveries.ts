// The bus loses a tenth of what it should deliver, and everything that concerns the end of one stream, so that no later
// event of it heals the loss. Nobody is told. The recovery must find what is missing and have it delivered.

import type { DrillContext } from '../context.ts';
import type { Scenario } from '../scenario.ts';
import { settle } from '../settle.ts';

const STREAMS = 8;
const RATE = 0.1;

export const lostDeliveries: Scenario = {
  name: 'lost-deliveries',
  summary: 'a tenth of the deliveries vanishes, and the end of a stream completely; the recovery finds and fills it',
  events: 80,
  finds: ['delivery-lost'],
  async run(context) {
    const { faults } = context.system;
    const streams = context.plan(STREAMS);
    const [ending, ...others] = [...streams].sort((a, b) => a.events.length - b.events.length);
    if (!ending) return;
    const drop = context.mustFire('a lost delivery', faults.bus({ kind: 'drop', rate: RATE, seed: context.seed }));
    await context.append(others);
    await context.append([ending], { from: 0, to: ending.events.length - 1 });
    await settle(context);
    const lostInside = drop.fired;
    drop.remove();
    const last = context.mustFire('the loss of a last event', faults.bus({ kind: 'drop' }));
    await context.append([ending], { from: ending.events.length - 1, to: ending.events.length });
    await last.whenFired({ count: context.workload.consumers.length });
    await settle(context);
    last.remove();
    context.fact('lostDeliveries', lostInside + last.fired);
    await fillGaps(context, ending.streamId);
  },
};

async function fillGaps(context: DrillContext, endsLost: string): Promise<void> {
  const before = context.workload.consumers.map(({ name }) => endOf(context, name, endsLost));
  await context.recover({ actions: ['repair'] });
  await settle(context);
  const after = context.workload.consumers.map(({ name }) => endOf(context, name, endsLost));
  // Otherwise the loss was healed by something else, and nothing was proved about the recovery.
  if (!before.some((version, index) => version < (after[index] as number)))
    context.problem(`the end of ${endsLost} was not lost before the recovery, or not delivered after it`);
}

const endOf = (context: DrillContext, consumer: string, streamId: string): number =>
  Math.max(0, ...context.orderOf(consumer).flatMap((effect) => (effect.streamId === streamId ? [effect.version] : [])));
