// One event ends the function whenever it is reacted to, as running out of memory does, with ten streams in its batch. Exactly
// that event must be blamed, and exactly its stream parked: the others died innocently and go on.

import { setTimeout as sleep } from 'node:timers/promises';
import { watchAlerts } from '../alerts.ts';
import type { DrillContext } from '../context.ts';
import { bookDeadLetters, deadLettersOf, isOpen, nameOf } from '../dead-letters.ts';
import { repairDeadLetters } from '../repair-dead-letters.ts';
import type { Scenario } from '../scenario.ts';
import { settle } from '../settle.ts';
import type { PlannedStream } from '../workload.ts';
import { streamsFor } from './streams-for.ts';

const CONSUMER = 'inventory';
const STREAMS = 10;
const EVENTS_EACH_MIN = 4;
/** Events of the guilty stream keep coming: each finds the dead holder's lease and leaves a back-up wake-up behind it. */
const DRIP_MS = 2_000;
/** Four unclean ends, each a visibility timeout of 30 s apart at worst, and as much again for a slow machine. */
const PATIENCE_MS = 240_000;

export const functionDies: Scenario = {
  name: 'function-dies',
  summary: 'an event that kills its function in a batch of ten streams: it alone is blamed, its stream alone is parked',
  events: 120,
  finds: ['poison-message'],
  async run(context) {
    const streams = context.plan(streamsFor(context.events, { atMost: STREAMS, eventsEach: EVENTS_EACH_MIN }));
    const guilty = streams.reduce((a, b) => (b.events.length > a.events.length ? b : a));
    // Late enough for a catch-up before it, early enough for events behind it.
    const index = Math.floor(guilty.events.length / 3);
    const event = guilty.events[index];
    if (event === undefined || guilty.events.length < EVENTS_EACH_MIN) {
      context.problem(`too few events; remedy: --events ${EVENTS_EACH_MIN} or more`);
      return;
    }
    const { faults } = context.system;
    const watched = context.consumer(CONSUMER);
    const endsBefore = context.system.unplannedEnds(CONSUMER);
    const alerts = await watchAlerts(context);
    try {
      const death = context.mustFire(
        `the death at version ${index + 1}`,
        faults.killOn({
          functionName: CONSUMER,
          ...watched.effectCall,
          when: 'before',
          match: (bodyText) => watched.isEffectOf(bodyText, event.id),
          times: Number.POSITIVE_INFINITY,
        }),
      );
      death.onFire(() => context.progress(`version ${index + 1} of ${guilty.streamId} ended the function`));
      await appendForOneBatch(context, streams, guilty, index + 1);
      await drip(context, guilty, index + 1);
      await settle(context);
      context.fact('deaths', death.fired);
      const open = (await deadLettersOf(context)).filter(isOpen);
      checkBlame(context, open, guilty, index + 1, endsBefore);
      await repairDeadLetters(context, alerts, () => death.remove());
    } finally {
      alerts.stop();
    }
  },
};

/** The queue fills up while nobody takes from it, so that the first batches hold all streams. */
async function appendForOneBatch(
  context: DrillContext,
  streams: readonly PlannedStream[],
  guilty: PlannedStream,
  guiltyVersion: number,
): Promise<void> {
  const { faults } = context.system;
  await faults.pauseMappings(CONSUMER);
  await context.append(streams.filter((stream) => stream !== guilty));
  await context.append([guilty], { from: 0, to: guiltyVersion });
  await queueHolds(context, context.ledger.entries.length);
  faults.resumeMappings(CONSUMER);
}

async function queueHolds(context: DrillContext, messages: number): Promise<void> {
  const url = context.system.outputs[context.consumer(CONSUMER).queueUrlOutput];
  const until = performance.now() + PATIENCE_MS;
  while (performance.now() < until) {
    const queue = (await context.system.queues()).find((one) => one.url === url);
    if ((queue?.waiting ?? 0) >= messages) return;
    await sleep(250);
  }
  throw new Error(`the queue of ${CONSUMER} did not fill up`);
}

/** One more event now and then, until the consumer has given up; then the rest. */
async function drip(context: DrillContext, guilty: PlannedStream, guiltyVersion: number): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  const { length } = guilty.events;
  for (let at = guiltyVersion; performance.now() < until; ) {
    const letters = await deadLettersOf(context);
    if (letters.some(({ consumer, streamId }) => consumer === CONSUMER && streamId === guilty.streamId)) {
      return context.append([guilty], { from: at, to: length });
    }
    // The last one comes after the parking: it must wait behind it.
    if (at < length - 1) {
      await context.append([guilty], { from: at, to: at + 1 });
      at += 1;
    }
    await sleep(DRIP_MS);
  }
  throw new Error(`${CONSUMER} did not give up on version ${guiltyVersion} of ${guilty.streamId}`);
}

function checkBlame(
  context: DrillContext,
  open: Awaited<ReturnType<typeof deadLettersOf>>,
  { streamId }: PlannedStream,
  version: number,
  endsBefore: number,
): void {
  const isGuilty = (letter: (typeof open)[number]): boolean =>
    letter.consumer === CONSUMER && letter.streamId === streamId && letter.version === version;
  const blamed = open.find(isGuilty);
  context.fact('parkedStreams', open.filter(({ status }) => status === 'parked').length);
  if (blamed?.status !== 'parked' || blamed.error.name !== 'UncleanEnd') {
    context.problem(
      `version ${version} of ${streamId} is not parked for its unclean ends: ${blamed && nameOf(blamed)}`,
    );
  }
  const died = context.system.unplannedEnds(CONSUMER) > endsBefore;
  const innocent = open.filter((letter) => letter.consumer === CONSUMER && !isGuilty(letter));
  // Without a process that died by itself, nobody but the drill can have ended a function.
  if (innocent.length > 0 && !died) {
    context.problem(`blamed innocently: ${innocent.map(nameOf).join('; ')}`);
  }
  bookDeadLetters(context, open, isGuilty);
}
