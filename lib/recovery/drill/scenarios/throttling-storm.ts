// Four of five requests of the consumers to DynamoDB are refused for want of capacity, and half of the relay's transactions, while
// events keep coming. Everybody waits and tries again; nobody may count it as a failure of an event.

import { setTimeout as sleep } from 'node:timers/promises';
import { deadLettersOf, nameOf } from '../dead-letters.ts';
import { seededRandom } from '../random.ts';
import type { Scenario } from '../scenario.ts';

const STREAMS = 8;
const CODE = 'ProvisionedThroughputExceededException';
const CONSUMERS_SHARE = 0.8;
const RELAY_SHARE = 0.5;
const STORM_MS = 12_000;
/** Fewer refusals would be a breeze; the diagnosis notes ten. */
const REFUSED_MIN = 20;

export const throttlingStorm: Scenario = {
  name: 'throttling-storm',
  summary: 'DynamoDB refuses most requests of consumers and relay for want of capacity while events keep coming',
  events: 80,
  finds: ['throttled'],
  async run(context) {
    const { faults } = context.system;
    const random = seededRandom(context.seed);
    const refuse = (functionName: string, operation: readonly string[], share: number) =>
      faults.failOn({
        functionName,
        service: 'dynamodb',
        operation,
        code: CODE,
        match: () => random.next() < share,
        times: Number.POSITIVE_INFINITY,
      });
    const storm = [
      ...context.workload.consumers.map(({ name }) =>
        refuse(name, ['UpdateItem', 'TransactWriteItems', 'PutItem'], CONSUMERS_SHARE),
      ),
      refuse('RelayCommits', ['TransactWriteItems'], RELAY_SHARE),
    ];
    const began = performance.now();
    await context.append(context.plan(STREAMS));
    await sleep(Math.max(0, STORM_MS - (performance.now() - began)));
    const refused = storm.reduce((sum, handle) => sum + handle.fired, 0);
    for (const handle of storm) handle.remove();
    context.fact('refused', refused);
    if (refused < REFUSED_MIN) context.problem(`only ${refused} requests were refused, so nothing was proved`);
  },
  async verify(context) {
    for (const letter of await deadLettersOf(context)) {
      context.problem(`a throttle was counted as the failure of an event: ${nameOf(letter)}`);
    }
  },
};
