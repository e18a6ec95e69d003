// The way from the store to the consumers is gone for a while: the rules are disabled and the queues purged, or nobody can
// reach the bus at all. The store goes on taking events. Afterwards every consumer must catch up completely.

import { scanUntilComplete } from '../scan-until-complete.ts';
import type { Scenario } from '../scenario.ts';
import { settle } from '../settle.ts';

const STREAMS = 6;
const RELAY = 'RelayCommits';
/** Lost requests in a row: more than the relay's tries of one batch, fewer than until it gives the batch up. */
const LOST_REQUESTS = 8;

export const brokerDown: Scenario = {
  name: 'broker-down',
  summary: 'the rules of the bus are disabled and the queues purged for a while; the gap scan delivers everything',
  eventsPerStream: 15,
  async run(context) {
    const { faults, outputs } = context.system;
    const streams = context.plan(STREAMS);
    const third = Math.ceil(Math.max(...streams.map(({ events }) => events.length)) / 3);
    await context.append(streams, { from: 0, to: third });
    const { consumers } = context.workload;
    for (const { name } of consumers) faults.disableRule(name);
    for (const { queueUrlOutput } of consumers) await faults.purgeQueue(outputs[queueUrlOutput] ?? '');
    context.progress('rules disabled, queues purged');
    await context.append(streams, { from: third, to: third * 3 });
    await settle(context);
    const undelivered = consumers.map(({ name }) => context.ledger.entries.length - context.orderOf(name).length);
    context.fact('undelivered', Object.fromEntries(consumers.map(({ name }, index) => [name, undelivered[index]])));
    if (!undelivered.every((events) => events > 0)) context.problem('everything was delivered although the bus was down');
    for (const { name } of consumers) faults.enableRule(name);
    context.fact('scan', await scanUntilComplete(context));
  },
};

export const networkPartition: Scenario = {
  name: 'network-partition',
  summary: 'the relay cannot reach the bus: its requests get no answer, before or after the bus took them; then it heals',
  eventsPerStream: 15,
  async run(context) {
    const { faults } = context.system;
    const target = { functionName: RELAY, service: 'eventbridge', operation: 'PutEvents', times: LOST_REQUESTS };
    const streams = context.plan(STREAMS);
    const half = Math.ceil(Math.max(...streams.map(({ events }) => events.length)) / 2);
    context.mustFire('a request that never arrived', faults.dropOn({ ...target, when: 'before' }));
    await context.append(streams, { from: 0, to: half });
    context.mustFire('an answer that never arrived', faults.dropOn({ ...target, when: 'after' }));
    await context.append(streams, { from: half, to: half * 2 });
    await settle(context);
    context.fact('scan', await scanUntilComplete(context));
  },
};
