// The relay cannot reach the bus: PutEvents gets no answer, then no connection, until batches fail; then the network heals.
// Everything is sequenced and stored all the time; nothing may be lost, and what was published without an answer may come twice.

import type { Scenario } from '../scenario.ts';

const STREAMS = 4;
const RELAY = 'RelayCommits';
/** Each request that gets no answer takes the client 2 s: three of them are one failed invocation of the relay. */
const LOST_REQUESTS = 3;
/**
 * A relay gives up on a batch after five entries in a row failed: 4 requests at once, then 4 more tries of each entry, of 3 requests
 * each: at most 4 x 3 + 5 x 4 x 3 = 72. As many again for a second batch on its way at the same time.
 */
const REFUSED_REQUESTS = 144;
const LOST_ANSWERS = 2;
/** Each refused request waits up to 0.2 s before it is sent again: 30 s, and more on a slow machine. */
const PARTITION_LIMIT_MS = 120_000;

export const networkPartition: Scenario = {
  name: 'network-partition',
  summary: 'PutEvents times out and is refused until batches of the relay fail, then the network heals',
  events: 120,
  finds: ['bus-unreachable'],
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
    const refusals = faults.failOn({
      ...target,
      code: 'ServiceUnavailable',
      status: 503,
      times: Number.POSITIVE_INFINITY,
    });
    await refusals.whenFired({ count: REFUSED_REQUESTS, timeoutMs: PARTITION_LIMIT_MS });
    refusals.remove();
    const answers = faults.dropOn({ ...target, when: 'after', times: LOST_ANSWERS });
    context.mustFire('an answer that never came back', answers);
    await appended;
    await answers.whenFired({ count: LOST_ANSWERS });
    context.progress('the network heals');
    context.fact('lost', { requests: requests.fired, refused: refusals.fired, answers: answers.fired });
  },
};
