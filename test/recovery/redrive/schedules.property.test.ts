// Random schedules of failures, fixes, redrives, discards, lost deliveries and traffic. After every step what each stream has
// resolved is a contiguous prefix, each event's effect happened once and in order, and the digests are those of the prefix as
// the independent verifier recomputes them from the store.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createBench } from './support.ts';

const STREAMS = ['order-1', 'order-2', 'order-3'];

type Step =
  | { kind: 'append'; stream: number; fails: boolean }
  | { kind: 'fix' }
  | { kind: 'redrive'; canary: boolean; force: boolean }
  | { kind: 'two-redrives' }
  | { kind: 'discard'; stream: number }
  | { kind: 'schedule' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('append' as const), stream: fc.nat(2), fails: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('fix' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('redrive' as const), canary: fc.boolean(), force: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('two-redrives' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('discard' as const), stream: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('schedule' as const) }) },
);

describe.each(['park', 'skip'] as const)(
  'any schedule of failures and redrives of a consumer that would %s',
  (onPoison) => {
    it('keeps a contiguous, proved prefix per stream and single effects, and ends with everything resolved', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
          const bench = await createBench({ onPoison });
          const force = { force: true, reason: 'a property' };
          for (const each of steps) {
            const streamId = STREAMS['stream' in each ? each.stream : 0] as string;
            if (each.kind === 'append') {
              const version = (await bench.system.eventStore.getVersion(streamId)) + 1;
              if (each.fails) bench.poison.add(`${streamId}@${version}`);
              await bench.system.append(streamId, ['Placed']);
            }
            if (each.kind === 'fix') bench.poison.clear();
            if (each.kind === 'redrive') await bench.go({ canary: each.canary, ...(each.force && force) });
            if (each.kind === 'two-redrives') await Promise.all([bench.go({ canary: false }), bench.go(force)]);
            if (each.kind === 'discard') {
              const [letter] = (await bench.letters()).filter((row) => row.streamId === streamId);
              if (letter !== undefined) {
                const selection = { id: letter.id };
                await bench.ask({ action: 'discard', selection, dryRun: false, reason: 'a property' });
              }
            }
            if (each.kind === 'schedule') await bench.finish();
            await bench.system.settle();
            for (const stream of STREAMS) expectOrder(bench.effectsOf(stream), onPoison);
            await bench.expectProved();
          }
          bench.poison.clear();
          await bench.finish();
          // One round per poison that hid behind another one.
          for (let round = 0; round < 15; round++) await bench.go(force);
          await bench.finish();
          expect([...(await bench.letters('parked')), ...(await bench.letters('skipped'))]).toEqual([]);
          await bench.expectProved({ parked: 0, waiting: 0 });
          const discarded = new Set((await bench.letters('discarded')).map((row) => `${row.streamId}@${row.version}`));
          for (const streamId of STREAMS) {
            const head = await bench.system.eventStore.getVersion(streamId);
            const all = Array.from({ length: head }, (_, index) => `${streamId}@${index + 1}`);
            expect([...bench.effectsOf(streamId)].sort()).toEqual(all.filter((at) => !discarded.has(at)).sort());
          }
        }),
        { numRuns: 40 },
      );
    });
  },
);

/** Once each; in order, unless the consumer skips: then a redelivered one comes late. */
function expectOrder(effects: readonly string[], onPoison: 'park' | 'skip'): void {
  expect(new Set(effects).size).toBe(effects.length);
  const versions = effects.map((at) => Number(at.split('@')[1]));
  if (onPoison === 'park') expect(versions).toEqual(versions.toSorted((a, b) => a - b));
}
