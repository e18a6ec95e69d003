// Consumers die half way: inventory before its commit, after its commit but before it acknowledges, and again while it
// catches up; notification after its message is sent and before its marker says so. Each on a stream of its own, all at
// once, so that their visibility timeouts run side by side.

import type { Scenario } from '../scenario.ts';
import { streamsFor } from './streams-for.ts';

const STREAMS = 4;
/** A stream shorter than this has no middle worth the name. */
const EVENTS_MIN = 8;

export const consumerCrash: Scenario = {
  name: 'consumer-crash',
  summary:
    'SIGKILL of inventory before and after its commit and again in catch-up, and of notification after its effect',
  async run(context) {
    const streams = [...context.plan(streamsFor(context.events, { atMost: STREAMS, eventsEach: EVENTS_MIN }))].sort(
      (a, b) => b.events.length - a.events.length,
    );
    const spots = killSpots(
      streams.map((stream) => stream.events.length),
      context.random.next(),
    );
    const [before, after, again, sent] = spots.map(({ stream, index }) => ({ stream: streams[stream], index }));
    if (!before?.stream || !after?.stream || !again?.stream || !sent?.stream) {
      context.problem(`the input has too few events for four kills; remedy: --events ${EVENTS_MIN} or more`);
      return;
    }
    context.killAt('inventory', before.stream, before.index, 'before');
    context.killAt('inventory', after.stream, after.index, 'after');
    context.killAt('inventory', again.stream, again.index, 'before');
    context.killAt('inventory', again.stream, secondSpot(again.index, again.stream.events.length), 'before');
    context.killAt('notification', sent.stream, sent.index, 'after');
    context.progress(
      `appending ${streams.reduce((sum, stream) => sum + stream.events.length, 0)} events to ${streams.length} streams`,
    );
    await context.append(streams);
  },
};

/**
 * Four places at about the middle of a stream, one per stream; when there are fewer long streams, spread over the longest.
 * `jitter` (0 to 1) moves them by up to five percent.
 */
export function killSpots(lengths: readonly number[], jitter: number): { stream: number; index: number }[] {
  const long = lengths.filter((length) => length >= EVENTS_MIN).length;
  const middle = (length: number): number => Math.floor(length * (0.475 + 0.05 * jitter));
  if (long >= STREAMS) return [0, 1, 2, 3].map((stream) => ({ stream, index: middle(lengths[stream] ?? 0) }));
  const longest = lengths[0] ?? 0;
  if (longest < EVENTS_MIN) return [];
  return [0.2, 0.4, 0.6, 0.5].map((share) => ({ stream: 0, index: Math.floor(longest * share) }));
}

/** Half way between the first kill and the end of the stream. */
export const secondSpot = (index: number, length: number): number =>
  index + Math.max(1, Math.floor((length - index) / 2));
