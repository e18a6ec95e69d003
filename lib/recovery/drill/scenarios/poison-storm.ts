// For a minute 30 % of the events fail, whoever reacts to them, while more keep coming: a broken dependency. Streams are parked
// and events skipped by the dozen; people hear of it once per cause. Then it is over, and everything is given back.

import { setTimeout as sleep } from 'node:timers/promises';
import { watchAlerts } from '../alerts.ts';
import type { DrillContext } from '../context.ts';
import { bookDeadLetters, deadLettersOf, isOpen } from '../dead-letters.ts';
import { poison } from '../poison.ts';
import { seededRandom } from '../random.ts';
import { repairDeadLetters } from '../repair-dead-letters.ts';
import type { Scenario } from '../scenario.ts';
import { settle } from '../settle.ts';
import type { PlannedStream } from '../workload.ts';
import { streamsFor } from './streams-for.ts';

const STREAMS = 20;
const EVENTS_EACH_MIN = 4;
const SHARE = 0.3;
/** How long the dependency is broken. */
const STORM_MS = 60_000;
/** Waves in which the events are appended while it is. */
const WAVES = 5;

export const poisonStorm: Scenario = {
  name: 'poison-storm',
  summary: '30 % of the events fail for a minute while more keep coming; one alert per cause, then all are redriven',
  events: 200,
  finds: ['consumer-failing'],
  async run(context) {
    const streams = context.plan(streamsFor(context.events, { atMost: STREAMS, eventsEach: EVENTS_EACH_MIN }));
    const failing = chosen(streams, context.seed);
    const alerts = await watchAlerts(context);
    try {
      const poisons = context.workload.consumers.map((consumer) => poison(context, consumer, (id) => failing.has(id)));
      for (const { handle } of poisons) context.mustFire('a failing event', handle);
      await storm(context, streams);
      await settle(context);
      const letters = (await deadLettersOf(context)).filter(isOpen);
      bookDeadLetters(context, letters, (letter) => poisons.some((one) => one.isCauseOf(letter)));
      const count = (status: string): number => letters.filter((letter) => letter.status === status).length;
      context.fact('storm', { failing: failing.size, parked: count('parked'), skipped: count('skipped') });
      await repairDeadLetters(context, alerts, () => {
        for (const { cure } of poisons) cure();
      });
    } finally {
      alerts.stop();
    }
  },
};

/** Ids of the events that fail. At least one, so that there is a storm at all. */
function chosen(streams: readonly PlannedStream[], seed: number): ReadonlySet<string> {
  const random = seededRandom(seed);
  const ids = streams.flatMap(({ events }) => events.map(({ id }) => id));
  const failing = ids.filter(() => random.next() < SHARE);
  return new Set(failing.length > 0 ? failing : ids.slice(0, 1));
}

/** Events keep coming for as long as the storm lasts, evenly. */
async function storm(context: DrillContext, streams: readonly PlannedStream[]): Promise<void> {
  const longest = Math.max(...streams.map(({ events }) => events.length));
  const size = Math.ceil(longest / WAVES);
  for (let wave = 0; wave < WAVES; wave += 1) {
    const until = performance.now() + STORM_MS / WAVES;
    context.progress(`wave ${wave + 1} of ${WAVES}`);
    await context.append(streams, { from: wave * size, to: (wave + 1) * size });
    await sleep(Math.max(0, until - performance.now()));
  }
}
