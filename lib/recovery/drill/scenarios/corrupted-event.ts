// One byte of a stored commit flips, deep in the past of a busy stream. The scrub must name exactly that commit, and the
// restore put it back from the archive and touch no other item.

import { archiveNow, expectSound, restoreStreams, scrubEverything } from '../integrity.ts';
import type { Scenario } from '../scenario.ts';
import { settle } from '../settle.ts';
import { expectUntouched, openStoredCommits } from '../stored-commits.ts';
import { streamsFor } from './streams-for.ts';

const STREAMS = 4;
/** Something before and something behind the damage. */
const EVENTS_MIN = 3;

export const corruptedEvent: Scenario = {
  name: 'corrupted-event',
  summary: 'a byte flips in a stored commit; the scrub names it, the restore puts it back from the archive',
  events: 60,
  async run(context) {
    const streams = context.plan(streamsFor(context.events, { atMost: STREAMS, eventsEach: EVENTS_MIN }));
    const victim = streams.reduce((a, b) => (b.events.length > a.events.length ? b : a));
    if (victim.events.length < EVENTS_MIN) {
      context.problem(`too few events for one in the middle; remedy: --events ${EVENTS_MIN} or more`);
      return;
    }
    const stored = openStoredCommits(context.system);
    try {
      await context.append(streams);
      await settle(context);
      await archiveNow(context);
      const before = await stored.digests();
      const version = Math.ceil(victim.events.length / 2);
      await stored.flipByte(victim.streamId, version);
      context.progress(`flipped a byte of ${victim.streamId}@${version}`);

      const findings = await scrubEverything(context);
      const named = findings.map(({ kind, streamId, from, to }) => `${kind} ${streamId}@${from}..${to}`);
      context.fact('findings', named);
      const expected = `hash-mismatch ${victim.streamId}@${version}..${version}`;
      if (named.join() !== expected)
        context.problem(`the scrub named ${named.join(', ') || 'nothing'}, not ${expected}`);

      const { totals } = await restoreStreams(context, { streams: [victim.streamId], source: 'archive' });
      if (totals.written !== 1 || totals.done !== 1)
        context.problem(`the restore wrote ${totals.written} items in ${totals.done} streams, not one`);
      expectUntouched(context, before, await stored.digests());
      await expectSound(
        context,
        streams.map(({ streamId }) => streamId),
      );
    } finally {
      stored.close();
    }
  },
};
