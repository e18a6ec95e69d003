// The relay dies at its four critical points: before and after it writes a page of the log, before and after it publishes.
// Every event must still get exactly one position and reach every consumer.

import type { DrillContext } from '../context.ts';
import type { When } from '../faults.ts';
import type { Scenario } from '../scenario.ts';
import { streamsFor } from './streams-for.ts';

const STREAMS = 4;
const RELAY = 'RelayCommits';
const PAGE = 500;

const POINTS: readonly { service: string; operation: string; when: When }[] = [
  { service: 'dynamodb', operation: 'TransactWriteItems', when: 'before' },
  { service: 'dynamodb', operation: 'TransactWriteItems', when: 'after' },
  { service: 'eventbridge', operation: 'PutEvents', when: 'before' },
  { service: 'eventbridge', operation: 'PutEvents', when: 'after' },
];

export const relayCrash: Scenario = {
  name: 'relay-crash',
  summary: 'SIGKILL of the relay before and after it sequences and before and after it publishes',
  async run(context) {
    const streams = context.plan(streamsFor(context.events, { atMost: STREAMS, eventsEach: POINTS.length }));
    const longest = Math.max(...streams.map((stream) => stream.events.length));
    if (longest < POINTS.length) {
      context.problem(`too few events for four kills; remedy: --events ${POINTS.length} or more`);
      return;
    }
    const share = Math.floor(longest / POINTS.length);
    for (const [number, point] of POINTS.entries()) {
      const kill = context.system.faults.killOn({ functionName: RELAY, ...point });
      context.mustFire(`the kill of the relay ${point.when} ${point.operation}`, kill);
      await context.append(streams, {
        from: number * share,
        to: number === POINTS.length - 1 ? longest : (number + 1) * share,
      });
      await kill.whenFired();
      context.progress(`killed the relay ${point.when} ${point.operation}`);
    }
  },
  verify: checkLog,
};

/** Every acknowledged event has exactly one position, and positions follow the order inside each stream. */
async function checkLog(context: DrillContext): Promise<void> {
  const { eventStore } = context.system;
  const wanted = new Map(
    context.ledger.entries.map((entry) => [JSON.stringify([entry.streamId, entry.eventId]), entry]),
  );
  const versions = new Map<string, number>();
  let position = 0;
  let found = 0;
  for (;;) {
    const page = await eventStore.readAll(position, PAGE);
    for (const event of page) {
      if (!wanted.has(JSON.stringify([event.streamId, event.id]))) continue;
      found += 1;
      const before = versions.get(event.streamId) ?? 0;
      if (event.metadata.version !== before + 1) {
        context.problem(`the log has version ${event.metadata.version} of ${event.streamId} after version ${before}`);
      }
      versions.set(event.streamId, event.metadata.version);
    }
    if (page.length < PAGE) break;
    position = page.at(-1)?.metadata.position ?? position;
  }
  if (found !== wanted.size) context.problem(`the log has ${found} of ${wanted.size} acknowledged events`);
  context.fact('positions', found);
}
