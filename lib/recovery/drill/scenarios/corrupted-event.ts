// One byte of a stored commit flips, deep in the past of a busy stream. The scrub must name exactly that commit, and the
// recovery have it put back from the archive, with an approval, and touch no other item.

import { archiveNow, expectSound, scrubEverything } from '../integrity.ts';
import type { Scenario } from '../scenario.ts';
import { settle } from '../settle.ts';
import { expectUntouched, openStoredCommits } from '../stored-commits.ts';
import { streamsFor } from './streams-for.ts';

const STREAMS = 4;
/** Something before and something behind the damage. */
const EVENTS_MIN = 3;

export const corruptedEvent: Scenario = {
  name: 'corrupted-event',
  summary: 'a byte flips in a stored commit; the scrub names it, an approved recovery puts it back from the archive',
  events: 60,
  finds: ['data-corruption'],
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

      // Told nothing, the recovery must name the damage; it puts the commit back when somebody has approved.
      const { report } = await context.recover({ actions: ['repair'] });
      const steps = report.steps.map(({ name }) => name);
      if (!steps.includes('Restore') || !steps.includes('AskApproval'))
        context.problem(`the recovery restored nothing, or asked nobody: ${steps.join(', ')}`);
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
