// The broker is away: the rules of all consumers are disabled and their queues purged while producers go on, as the event
// store does not need it. Then it is back. Some streams get another event, which heals them; the others stay as they are until the
// recovery finds them and has them delivered.

import type { Scenario } from '../scenario.ts';
import { settle } from '../settle.ts';

const STREAMS = 8;

export const brokerDown: Scenario = {
  name: 'broker-down',
  summary: 'every rule disabled and every queue purged while producers go on; then full catch-up',
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
    const during = consumers.map(({ name }) => context.orderOf(name).length);
    for (const { name } of consumers) faults.enableRule(name);
    context.progress('the broker is back');
    await context.append(streams.slice(0, STREAMS / 2), { from: last, to: last + 1 });
    await settle(context);
    const healed = consumers.map(({ name }) => context.orderOf(name).length);
    context.fact('effects', { during, healed });
    const isDown = during.every((effects, index) => effects < (healed[index] as number));
    if (!isDown) context.problem('nothing was lost while the broker was down, or the next events healed nothing');
    await context.recover({ actions: ['repair'] });
  },
};
