// The end of a stream is deleted, and somebody appends on top of what is left, with a store that does not ask the directory. Our
// own store must refuse; the restore must bring the lost end back from a point in time, and append the acknowledged events
// behind it: nothing is lost, nothing else is touched.

import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createEventStore } from '../../../flow/event-store/event-store.ts';
import { createWorld } from '../../../platform/world.ts';
import type { DrillContext } from '../context.ts';
import { expectSound, restoreStreams, scrubEverything } from '../integrity.ts';
import type { Scenario } from '../scenario.ts';
import { settle } from '../settle.ts';
import { expectUntouched, openStoredCommits } from '../stored-commits.ts';
import type { PlannedStream } from '../workload.ts';
import { streamsFor } from './streams-for.ts';

const STREAMS = 4;
const LOST = 3;
/** Appended on top of the cut: two in one commit, one in another. */
const ON_TOP = 3;
const EVENTS_MIN = LOST + ON_TOP + 2;

export const truncatedStream: Scenario = {
  name: 'truncated-stream',
  summary:
    'the end of a stream is deleted and then appended to; it comes back from a point in time, and no event is lost',
  events: 60,
  async run(context) {
    const streams = context.plan(streamsFor(context.events, { atMost: STREAMS, eventsEach: EVENTS_MIN }));
    const victim = streams.reduce((a, b) => (b.events.length > a.events.length ? b : a));
    const { streamId, events } = victim;
    const end = events.length - ON_TOP;
    if (events.length < EVENTS_MIN) {
      context.problem(`too few events for an end to lose; remedy: --events ${EVENTS_MIN} or more`);
      return;
    }
    const stored = openStoredCommits(context.system);
    try {
      await context.append(streams.filter((stream) => stream !== victim));
      await context.append([victim], { from: 0, to: end });
      await settle(context);
      const restoreTo = await nextSecond();
      const before = await stored.digests();

      const cut = end - LOST;
      for (let version = end; version > cut; version -= 1) await stored.remove(streamId, version);
      context.progress(`deleted versions ${cut + 1} to ${end} of ${streamId}`);
      await expectRefusal(context, victim);
      const onTop = events.slice(end);
      const last = await stored.get(streamId, cut);
      const first = await stored.put(last, streamId, cut + 1, onTop.slice(0, 2));
      await stored.put(first, streamId, cut + 3, onTop.slice(2));
      await settle(context);

      const findings = await scrubEverything(context);
      context.fact(
        'findings',
        findings.map(({ kind, from, to }) => `${kind} @${from}..${to}`),
      );
      if (findings.length === 0 || findings.some((finding) => finding.streamId !== streamId))
        context.problem(`the scrub named ${findings.length} damages, not those of ${streamId} alone`);

      const { listed, totals } = await restoreStreams(context, {
        streams: [streamId],
        source: 'point-in-time',
        restoreTo,
      });
      const appended = listed[0]?.forks.map(({ outcome, newVersion }) => `${outcome} ${newVersion}`).join();
      if (appended !== `appended ${end + 1},appended ${end + 3}` || totals.conflicting !== 0)
        context.problem(`events on top of the cut: ${appended || 'none were appended again'}`);
      context.ledger.book(streamId, onTop, end + 1);
      const isNew = (key: string): boolean => key === `${streamId}@${end + 1}` || key === `${streamId}@${end + 3}`;
      expectUntouched(context, before, await stored.digests(), isNew);
      await settle(context);
      await expectSound(
        context,
        streams.map((stream) => stream.streamId),
      );
    } finally {
      stored.close();
    }
  },
};

/** A process that knows nothing of the stream asks the directory, and must not extend what was cut off. */
async function expectRefusal({ system, problem }: DrillContext, { streamId, events }: PlannedStream): Promise<void> {
  const client = new DynamoDBClient(system.clientConfig);
  const { EventsTableName: eventsTable = '', LogTableName: logTable = '' } = system.outputs;
  const store = createEventStore({ client, eventsTable, logTable });
  const code = await store.append(streamId, events.slice(-1), 'any').then(
    () => 'no error',
    (error: { code?: string }) => error.code,
  );
  if (code !== 'STREAM_DAMAGED') problem(`an append to the cut stream was answered with ${code}, not STREAM_DAMAGED`);
  client.destroy();
}

/** DynamoDB restores to whole seconds: the end of the one that holds everything until now. */
async function nextSecond(): Promise<number> {
  const { clock } = createWorld();
  const second = (Math.floor(clock.now() / 1_000) + 1) * 1_000;
  while (clock.now() <= second) await sleep(50);
  return second;
}
