// The broker is away: the rules of all consumers are disabled and their queues purged while producers go on, as the event
// store does not need it. The recovery says so, asks whether it may enable the rules, and has what was lost delivered. Then the next
// events come by the bus as before.

import type { Scenario } from '../scenario.ts';
import { settle } from '../settle.ts';

const STREAMS = 8;

export const brokerDown: Scenario = {
  name: 'broker-down',
  summary:
    'every rule disabled and every queue purged while producers go on; the recovery enables the rules, then full catch-up',
  events: 120,
  finds: ['broker-down', 'delivery-lost'],
  async run(context) {
    const { faults } = context.system;
    const { consumers } = context.workload;
    const streams = context.plan(STREAMS);
    const length = Math.min(...streams.map((stream) => stream.events.length));
    if (length < 3) {
      context.problem(
        `the streams are too short for an outage in their middle; remedy: --events ${STREAMS * 3} or more`,
      );
      return;
    }
    const [third, last] = [Math.floor(length / 3), length - 1];
    // What is in the queues when the broker dies goes with it.
    for (const { name } of consumers) await faults.pauseMappings(name);
    await context.append(streams, { from: 0, to: third });
    for (const { name, queueUrlOutput } of consumers) {
      faults.disableRule(name);
      await faults.purgeQueue(String(context.system.outputs[queueUrlOutput]));
      faults.resumeMappings(name);
    }
    context.progress('the broker is down: rules disabled, queues purged');
    await context.append(streams, { from: third, to: last });
    await settle(context);
    await context.recover();
    const effects = () => consumers.map(({ name }) => context.orderOf(name).length);
    const during = effects();
    await context.recover({ actions: ['repair'] });
    await settle(context);
    const repaired = effects();
    await context.append(streams, { from: last, to: last + 1 });
    await settle(context);
    const after = effects();
    context.fact('effects', { during, repaired, after });
    const grew = (from: readonly number[], to: readonly number[]) =>
      from.every((n, index) => n < (to[index] as number));
    if (!grew(during, repaired)) context.problem('nothing was lost while the broker was down, or nothing was repaired');
    if (!grew(repaired, after)) context.problem('the rules were not enabled: the next events did not come');
    await context.recover({ actions: ['repair'] });
  },
};
