// Somebody has disabled a consumer's event source mapping: events wait in its queue, and nothing fails anywhere. The diagnosis
// must name it; enabled again, the consumer works off what waits, and the recovery proves it.

import type { Scenario } from '../scenario.ts';

const CONSUMER = 'inventory';
const STREAMS = 4;

export const consumerDown: Scenario = {
  name: 'consumer-down',
  summary:
    'the event source mapping of the inventory is disabled; the recovery says so, and proves the rest when it is enabled',
  events: 40,
  finds: ['consumer-down'],
  async run(context) {
    const { faults } = context.system;
    await faults.pauseMappings(CONSUMER);
    await context.append(context.plan(STREAMS));
    await context.recover();
    if (context.orderOf(CONSUMER).length > 0) context.problem(`${CONSUMER} worked although its mapping was disabled`);
    faults.resumeMappings(CONSUMER);
    await context.recover({ actions: ['repair'] });
  },
};
