// Appenders that interleave at every request, lose answers and retry: whatever the order, the stream is one gapless chain,
// and every append that was acknowledged is in it once, where it was said to be.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CONTENDED_TRIES } from '../../../lib/flow/event-store/append.ts';
import { createMemoryEventStore } from '../../../lib/flow/event-store/memory-event-store.ts';
import type { AppendResult, EventStore } from '../../../lib/flow/event-store/port.ts';
import { isEventRecoveryError } from '../../../lib/model/errors.ts';
import type { NewEvent } from '../../../lib/model/event.ts';
import { isTransient } from '../../../lib/platform/retry.ts';
import { createTestWorld } from '../../support/world.ts';
import { collect, connectionReset, errorOf, idsOf, newEvents, recording, storeOn, versionsOf } from './support.ts';

interface Plan {
  expected: 'any' | 'head';
  size: number;
}
interface Outcome {
  events: NewEvent[];
  result?: AppendResult;
  /** No try was answered: stored or not, both are right. */
  unknown?: boolean;
}

const plan = fc.record<Plan>({ expected: fc.constantFrom('any', 'head'), size: fc.integer({ min: 1, max: 3 }) });
const throttled = (): Error => Object.assign(new Error('slow down'), { name: 'ThrottlingException', $fault: 'client' });

/** Lets the others go first this many times: who runs between a request and its answer is drawn, and can be drawn again. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await undefined;
}

/** Reads, decides, appends; tries the very same append again when it is told to. */
async function produce(store: EventStore, { expected }: Plan, events: NewEvent[]): Promise<Outcome> {
  let version: number | undefined;
  for (let tries = 1; tries <= 6; tries += 1) {
    try {
      if (version === undefined && expected === 'head') version = await store.getVersion('s');
      return { events, result: await store.append('s', events, version ?? 'any') };
    } catch (error) {
      if (!isEventRecoveryError(error)) throw error;
      if (error.code === 'CONCURRENCY_CONFLICT') version = undefined;
      // The remedy that the error names: the same events at the version that was tried.
      else if (error.code === 'APPEND_OUTCOME_UNKNOWN') version = (error.facts.version as number) - 1;
      else if (!isTransient(error)) throw error;
      if (tries === 6) return { events, unknown: error.code === 'APPEND_OUTCOME_UNKNOWN' };
    }
  }
  return { events };
}

describe('appends in any interleaving', () => {
  it('make one gapless chain in which every acknowledged event is stored exactly once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(plan, { minLength: 2, maxLength: 6 }),
        fc.infiniteStream(fc.integer({ min: 0, max: 99 })),
        fc.infiniteStream(fc.integer({ min: 0, max: 12 })),
        async (plans, faults, delays) => {
          const world = createTestWorld();
          const { dynamo } = createMemoryEventStore({ world });
          const engine = recording(dynamo);
          engine.intercept = async (_, apply) => {
            const fault = faults.next().value;
            await turns(delays.next().value);
            if (fault < 8) throw throttled();
            if (fault < 16) throw connectionReset();
            const answer = await apply().then(
              (value) => () => value,
              (error) => () => {
                throw error;
              },
            );
            await turns(delays.next().value);
            if (fault < 30) throw connectionReset();
            return answer();
          };
          const producing = plans.map((each, index) => {
            const clock = { now: () => world.clock.now() + ((index % 3) - 1) * 300_000 };
            const own = storeOn(engine, { ...createTestWorld({ seed: index + 1 }), clock });
            return produce(own, each, newEvents(each.size, `p${index}-`));
          });
          const outcomes = await Promise.all(producing);

          const reader = storeOn(dynamo, world);
          const events = await reader.read('s');
          expect(versionsOf(events)).toEqual(events.map((_, index) => index + 1));
          const ids = idsOf(events);
          expect(new Set(ids).size).toBe(ids.length);
          for (const { events: given, result, unknown } of outcomes) {
            const wanted = given.map(({ id }) => id);
            if (result) expect(ids.slice(result.firstVersion - 1, result.version)).toEqual(wanted);
            else if (!unknown) expect(ids.filter((id) => wanted.includes(id))).toEqual([]);
            else expect([[], wanted]).toContainEqual(ids.filter((id) => wanted.includes(id)));
          }
          const times = (await collect(reader.readCommits('s'))).map(({ recordedAt }) => recordedAt);
          expect(times).toEqual(times.toSorted((left, right) => left - right));
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

describe('an append that loses every race', () => {
  it.each(['any', 'stream-exists'] as const)(
    'with "%s" ends after a bounded number of them, and wrote nothing',
    async (expected) => {
      const world = createTestWorld();
      const { dynamo } = createMemoryEventStore({ world });
      const rival = storeOn(dynamo, world);
      await rival.append('s', newEvents(1, 'first-'), 'no-stream');
      const engine = recording(dynamo);
      let races = 0;
      // Somebody else is always a moment faster.
      engine.intercept = async ({ operation }, apply) => {
        if (operation === 'put' && races < 2 * CONTENDED_TRIES) {
          races += 1;
          await rival.append('s', newEvents(1, `rival${races}-`), 'any');
        }
        return apply();
      };
      const error = await errorOf(storeOn(engine, world).append('s', newEvents(2, 'mine-'), expected));
      expect(error).toMatchObject({ code: 'APPEND_CONTENDED', retryable: true, facts: { streamId: 's' } });
      expect(races).toBe(CONTENDED_TRIES);
      expect(idsOf(await rival.read('s')).filter((id) => id.startsWith('mine-'))).toEqual([]);
    },
  );
});
