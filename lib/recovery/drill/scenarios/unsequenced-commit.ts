// The relay never gets the records of a stream's last commits, as when they were trimmed before it read them, and no later
// event of the stream tells it. The scrub must find what the log does not have and hand it to the relay.

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createEventStore } from '../../../flow/event-store/event-store.ts';
import type { EventStore } from '../../../flow/event-store/port.ts';
import { createWorld } from '../../../platform/world.ts';
import type { DrillContext } from '../context.ts';
import { expectSound, scrubEverything } from '../integrity.ts';
import type { Scenario } from '../scenario.ts';
import { settle } from '../settle.ts';
import { expectUntouched, openStoredCommits } from '../stored-commits.ts';
import { waitUntil } from '../wait-until.ts';
import { streamsFor } from './streams-for.ts';

const STREAMS = 4;
const LOST = 2;
const EVENTS_MIN = LOST + 1;
const RELAY = 'RelayCommits';
/** The scrub gives a commit a quarter of an hour to be sequenced: this producer's clock is an hour behind. */
const BEHIND_MS = 60 * 60_000;

export const unsequencedCommit: Scenario = {
  name: 'unsequenced-commit',
  summary: 'the relay never hears of the last commits of a stream; the scrub finds them, the relay makes up for it',
  events: 60,
  async run(context) {
    const streams = context.plan(streamsFor(context.events, { atMost: STREAMS, eventsEach: EVENTS_MIN }));
    const victim = streams.reduce((a, b) => (b.events.length > a.events.length ? b : a));
    const { streamId, events } = victim;
    if (events.length < EVENTS_MIN) {
      context.problem(`too few events for an end that the relay misses; remedy: --events ${EVENTS_MIN} or more`);
      return;
    }
    const stored = openStoredCommits(context.system);
    const { store, close } = openLateProducer(context);
    try {
      const known = events.length - LOST;
      await context.append(streams.filter((stream) => stream !== victim));
      await appendTo(context, store, streamId, events.slice(0, known), 0);
      await settle(context);
      const lost = context.mustFire(
        'the loss of a record',
        context.system.faults.loseRecords({
          functionName: RELAY,
          match: (record) => record.includes(JSON.stringify(streamId)),
        }),
      );
      await appendTo(context, store, streamId, events.slice(known), known);
      await lost.whenFired({ count: LOST });
      lost.remove();
      await settle(context);
      const before = await stored.digests();
      for (const { name } of context.workload.consumers) {
        const seen = context.orderOf(name).filter((effect) => effect.streamId === streamId && effect.version > known);
        if (seen.length > 0) context.problem(`${name} reacted to ${seen.length} events that the relay never heard of`);
      }

      const findings = await scrubEverything(context);
      const named = findings.map((finding) => `${finding.kind} ${finding.streamId}@${finding.from}..${finding.to}`);
      context.fact('findings', named);
      const isRight =
        findings.length > 0 &&
        findings.every(({ kind, ...one }) => kind === 'unsequenced-commit' && one.streamId === streamId);
      if (!isRight)
        context.problem(`the scrub named ${named.join(', ') || 'nothing'}, not the commits that the log misses`);
      await waitUntil('the relay to make up for it', () => sequenced(context, streamId, events.length));
      await settle(context);
      expectUntouched(context, before, await stored.digests());
      await expectSound(
        context,
        streams.map((stream) => stream.streamId),
      );
    } finally {
      stored.close();
      close();
    }
  },
};

function openLateProducer({ system }: DrillContext): { store: EventStore; close(): void } {
  const client = new DynamoDBClient(system.clientConfig);
  const world = createWorld();
  const { EventsTableName: eventsTable = '', LogTableName: logTable = '' } = system.outputs;
  const clock = { now: () => world.clock.now() - BEHIND_MS };
  const store = createEventStore({ client, eventsTable, logTable, world: { ...world, clock } });
  return { store, close: () => client.destroy() };
}

async function appendTo(
  { ledger }: DrillContext,
  store: EventStore,
  streamId: string,
  events: DrillContext['planned'][number]['events'],
  from: number,
): Promise<void> {
  for (const [index, event] of events.entries()) {
    const { firstVersion } = await store.append(streamId, [event], from + index);
    ledger.book(streamId, [event], firstVersion);
  }
}

/** Every event of the stream has a position. */
async function sequenced({ system }: DrillContext, streamId: string, count: number): Promise<true | undefined> {
  let [position, found] = [0, 0];
  for (;;) {
    const page = await system.eventStore.readAll(position, 1_000);
    found += page.filter((event) => event.streamId === streamId).length;
    const last = page.at(-1)?.metadata.position;
    if (last === undefined || page.length < 1_000) return found === count ? true : undefined;
    position = last;
  }
}
