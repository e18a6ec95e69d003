// Counts what a scan answered about one consumer, and says in one word how it is: gaps first, then what nobody can know,
// then what is on its way. `complete` is only said when everything was looked at.

import type { RegisteredConsumer } from '../../model/consumer.ts';
import type { Position, StreamId, Version } from '../../model/ids.ts';
import type { StreamAnswer } from './decide-stream.ts';
import { type ConsumerScan, LISTED_MAX } from './port.ts';

export const newTally = ({ name, backfill }: RegisteredConsumer, scannedTo: Position): ConsumerScan => ({
  consumer: name,
  state: 'complete',
  gaps: 0,
  gapEvents: 0,
  lagging: 0,
  lagEvents: 0,
  lagSeconds: 0,
  parked: 0,
  resolved: 0,
  wakeUps: 0,
  listed: [],
  scannedTo,
  notLookedAt: 0,
  ...(backfill && {
    backfill: {
      eventTypes: backfill.eventTypes,
      untilPosition: backfill.untilPosition,
      requestedAt: backfill.requestedAt,
    },
  }),
});

export function count(tally: ConsumerScan, answer: StreamAnswer, streamId: StreamId, now: number): void {
  if (answer.kind === 'resolved') tally.resolved++;
  else if (answer.kind === 'parked') tally.parked++;
  else {
    const events = answer.to - answer.from + 1;
    const oldestAgeSeconds = Math.max(0, Math.round((now - answer.oldestAt) / 1_000));
    tally.lagEvents += events;
    tally.lagSeconds = Math.max(tally.lagSeconds, oldestAgeSeconds);
    if (answer.kind === 'lagging') {
      tally.lagging++;
      return;
    }
    tally.gaps++;
    tally.gapEvents += events;
    if (tally.listed.length === LISTED_MAX) return;
    const [from, to] = [answer.from as Version, answer.to as Version];
    tally.listed.push({ consumer: tally.consumer, streamId, from, to, count: events, oldestAgeSeconds });
  }
}

/** @param isUnknown the log itself is behind, or nobody can say */
export function stateOf(tally: ConsumerScan, isUnknown: boolean): ConsumerScan['state'] {
  if (tally.gaps > 0) return 'gaps';
  if (isUnknown || tally.notLookedAt > 0) return 'unknown';
  return tally.lagging > 0 ? 'lagging' : 'complete';
}
