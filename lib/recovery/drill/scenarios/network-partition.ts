// The relay cannot reach the bus: PutEvents gets no answer, again and again, until the network heals. Everything is sequenced and
// stored all the time; nothing may be lost, and what was published without an answer may come twice.

import type { Scenario } from '../scenario.ts';

const STREAMS = 4;
const RELAY = 'RelayCommits';
/** Each request that gets no answer takes the client 2 s: three of them are one failed invocation of the relay. */
const LOST_REQUESTS = 3;
const LOST_ANSWERS = 2;

export const networkPartition: Scenario = {
  name: 'network-partition',
  summary: 'PutEvents times out before and after the bus has the events, then the network heals',
  events: 120,
  async run(context) {
    const { faults } = context.system;
    const streams = context.plan(STREAMS);
    const half = Math.floor(Math.min(...streams.map((stream) => stream.events.length)) / 2);
    await context.append(streams, { from: 0, to: half });
    const target = { functionName: RELAY, service: 'eventbridge', operation: 'PutEvents' };
    const requests = faults.dropOn({ ...target, when: 'before', times: LOST_REQUESTS });
    context.mustFire('a request that never reached the bus', requests);
    const appended = context.append(streams, { from: half, to: Number.POSITIVE_INFINITY });
    await requests.whenFired({ count: LOST_REQUESTS });
    context.progress('the relay cannot reach the bus');
    const answers = faults.dropOn({ ...target, when: 'after', times: LOST_ANSWERS });
    context.mustFire('an answer that never came back', answers);
    await appended;
    await answers.whenFired({ count: LOST_ANSWERS });
    context.progress('the network heals');
    context.fact('lost', { requests: requests.fired, answers: answers.fired });
  },
};
