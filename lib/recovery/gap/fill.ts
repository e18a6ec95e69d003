// Fills gaps: one wake-up per stream to the consumer's own queue; the consumer catches up in order by itself. Bounded, and
// the rows stay until a scan sees them resolved, so a wake-up that is lost costs a period and nothing else.

import type { WakeUps } from '../../flow/consumer/port.ts';
import type { RegisteredConsumer } from '../../model/consumer.ts';
import { WAKE_UP_FORMAT } from '../../model/wake-up.ts';
import type { World } from '../../platform/clock.ts';
import type { OpenGap, OpenGaps } from './open-gaps.ts';

const BATCH = 100;

export interface FillDeps {
  wakeUps: WakeUps;
  openGaps: Pick<OpenGaps, 'tried'>;
  world: Pick<World, 'clock'>;
}

/** Which gaps get a wake-up now: least tried first, so that those that never move starve nobody, then oldest first. Pure. */
export const toFill = (gaps: readonly OpenGap[], maxWakeUps: number): OpenGap[] =>
  gaps.toSorted((a, b) => a.tries - b.tries || a.openedAt - b.openedAt).slice(0, maxWakeUps);

/** @returns the number of wake-ups sent */
export async function fill(
  { wakeUps, openGaps, world }: FillDeps,
  consumer: Pick<RegisteredConsumer, 'name' | 'queueUrl'>,
  gaps: readonly OpenGap[],
): Promise<number> {
  for (let at = 0; at < gaps.length; at += BATCH) {
    const batch = gaps.slice(at, at + BATCH);
    await wakeUps.send(
      consumer.queueUrl,
      batch.map(({ streamId, to }) => ({
        message: {
          format: WAKE_UP_FORMAT,
          kind: 'wake-up',
          consumer: consumer.name,
          streamId,
          version: to,
          hops: 0,
          reason: 'gap',
        },
      })),
    );
    await Promise.all(batch.map((gap) => openGaps.tried(gap, world.clock.now())));
  }
  return gaps.length;
}
