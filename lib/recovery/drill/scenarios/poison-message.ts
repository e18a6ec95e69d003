// One event that always fails, in the middle of twenty busy streams. Its own stream waits for the inventory, in order; the
// notification goes on past it; everything else is untouched. Then the cause is repaired and the event given back.

import { watchAlerts } from '../alerts.ts';
import type { DrillContext } from '../context.ts';
import { bookDeadLetters, deadLettersOf } from '../dead-letters.ts';
import { type Poison, poison } from '../poison.ts';
import { repairDeadLetters } from '../repair-dead-letters.ts';
import type { Scenario } from '../scenario.ts';
import { settle } from '../settle.ts';
import type { PlannedStream } from '../workload.ts';
import { streamsFor } from './streams-for.ts';

const STREAMS = 20;
/** Something before the poison and something behind it. */
const EVENTS_MIN = 3;

export const poisonMessage: Scenario = {
  name: 'poison-message',
  summary: 'one event of twenty busy streams always fails; only its stream waits, then it is repaired and redriven',
  events: 100,
  finds: ['poison-message'],
  async run(context) {
    const streams = context.plan(streamsFor(context.events, { atMost: STREAMS, eventsEach: EVENTS_MIN }));
    const poisoned = streams.reduce((a, b) => (b.events.length > a.events.length ? b : a));
    const index = Math.floor(poisoned.events.length / 2);
    const event = poisoned.events[index];
    if (event === undefined || poisoned.events.length < EVENTS_MIN) {
      context.problem(`too few events for one in the middle; remedy: --events ${EVENTS_MIN} or more`);
      return;
    }
    const alerts = await watchAlerts(context);
    try {
      const poisons = context.workload.consumers.map((consumer) => poison(context, consumer, (id) => id === event.id));
      for (const { handle } of poisons) context.mustFire(`the failure of version ${index + 1}`, handle);
      context.progress(`appending; version ${index + 1} of ${poisoned.streamId} always fails`);
      await context.append(streams);
      await settle(context);
      await checkParked(context, poisons, poisoned, index + 1);
      await repairDeadLetters(context, alerts, () => {
        for (const { cure } of poisons) cure();
      });
    } finally {
      alerts.stop();
    }
  },
};

/** One dead letter per consumer, at the poisoned event; the other streams are complete, this one waits in order. */
async function checkParked(
  context: DrillContext,
  poisons: readonly Poison[],
  { streamId, events }: PlannedStream,
  version: number,
): Promise<void> {
  const letters = await deadLettersOf(context);
  const isCaused = (letter: (typeof letters)[number]): boolean => poisons.some((one) => one.isCauseOf(letter));
  bookDeadLetters(context, letters, isCaused);
  for (const { name, onPoison } of context.workload.consumers) {
    const mine = letters.filter((letter) => letter.consumer === name && isCaused(letter));
    const [first] = mine;
    const isRight = mine.length === 1 && first?.streamId === streamId && first.version === version;
    if (!isRight) context.problem(`${name}: ${mine.length} dead letters of the poison, not one at version ${version}`);
    const effects = context.orderOf(name).filter((effect) => effect.streamId === streamId);
    const behind = new Set(effects.map((effect) => effect.version).filter((one) => one >= version)).size;
    const expected = onPoison === 'park' ? 0 : events.length - version;
    if (behind !== expected) {
      context.problem(`${name}: ${behind} effects at or behind the poisoned event of its stream, not ${expected}`);
    }
  }
}
