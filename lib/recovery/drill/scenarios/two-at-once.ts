// Two failures at the same time: the bus does not reach the inventory any more, and an event is poison. The diagnosis must name
// both, and the repair of one must not hide or hinder that of the other.

import { bookDeadLetters, deadLettersOf, nameOf } from '../dead-letters.ts';
import { poison } from '../poison.ts';
import type { Scenario } from '../scenario.ts';
import { settle } from '../settle.ts';
import { streamsFor } from './streams-for.ts';

const CONSUMER = 'inventory';
const STREAMS = 6;
const EVENTS_EACH_MIN = 4;

export const twoAtOnce: Scenario = {
  name: 'two-at-once',
  summary: 'the bus rule of the inventory is disabled, and an event is poison: both are named, repaired and proved',
  events: 60,
  finds: ['broker-down', 'poison-message'],
  async run(context) {
    const { faults } = context.system;
    const streams = context.plan(streamsFor(context.events, { atMost: STREAMS, eventsEach: EVENTS_EACH_MIN }));
    const poisoned = streams.reduce((a, b) => (b.events.length > a.events.length ? b : a));
    const half = Math.floor(poisoned.events.length / 2);
    const event = poisoned.events[half - 1];
    if (event === undefined || half < 2) {
      context.problem(`too few events; remedy: --events ${EVENTS_EACH_MIN} or more`);
      return;
    }
    const poisons = context.workload.consumers.map((consumer) => poison(context, consumer, (id) => id === event.id));
    for (const { handle } of poisons) context.mustFire(`the failure of version ${half}`, handle);
    await context.append(streams, { from: 0, to: half });
    await settle(context);
    faults.disableRule(CONSUMER);
    context.progress(`the bus does not reach ${CONSUMER}`);
    await context.append(streams, { from: half, to: Number.POSITIVE_INFINITY });
    await settle(context);
    const behind = context.ledger.entries.length - context.orderOf(CONSUMER).length;
    if (behind <= poisoned.events.length) context.problem('no delivery was lost, so nothing was proved about the bus');
    const letters = await deadLettersOf(context);
    bookDeadLetters(context, letters, (letter) => poisons.some((one) => one.isCauseOf(letter)));
    await context.recover();
    faults.enableRule(CONSUMER);
    for (const { cure } of poisons) cure();
    await context.recover({ actions: ['repair'] });
    await settle(context);
    for (const letter of await deadLettersOf(context)) {
      if (letter.status !== 'resolved') context.problem(`not resolved: ${nameOf(letter)}`);
    }
  },
};
