// Whatever is done to stored commits, in whatever combination: the restore brings back exactly what was there, from the archive.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createBench } from './support.ts';

/** Versions that may be damaged; not all of `c` are there. */
const STREAMS = { a: 5, b: 4, c: 8 } as const;
type StreamId = keyof typeof STREAMS;
const PLACES = Object.entries(STREAMS).flatMap(([streamId, count]) =>
  Array.from({ length: count }, (_, index) => ({ streamId: streamId as StreamId, version: index + 1 })),
);
const place = fc.constantFrom(...PLACES);
/** Where no commit is, or a commit of another version. */
const anywhere = fc.record({
  streamId: fc.constantFrom(...(Object.keys(STREAMS) as StreamId[])),
  version: fc.oneof(fc.integer({ min: -1, max: 10 }), fc.constant(1.5), fc.constant(2 ** 40)),
});
const garbage = fc.oneof(
  fc.constantFrom<unknown>(null, true, '', 'x', 0, 1, -1, 1.5, 'br', [], {}),
  fc.uint8Array({ maxLength: 5 }),
);

const damage = fc.oneof(
  fc.record({ kind: fc.constant('remove' as const), at: place }),
  fc.record({
    kind: fc.constant('set' as const),
    at: place,
    name: fc.constantFrom('count', 'events', 'encoding', 'format', 'recordedAt', 'previousHash', 'hash', 'more'),
    value: garbage,
  }),
  fc.record({
    kind: fc.constant('drop' as const),
    at: place,
    name: fc.constantFrom('count', 'events', 'encoding', 'format', 'recordedAt', 'previousHash', 'hash'),
  }),
  fc.record({ kind: fc.constant('copy' as const), at: place, to: anywhere }),
  fc.record({ kind: fc.constant('swap' as const), at: place, with: place }),
);

describe('a restore from the archive', () => {
  it('brings back exactly what was there, whatever was done to it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(damage, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 0, max: 2 }),
        fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 4 }),
        async (damages, sequenced, unsequenced) => {
          const bench = await createBench();
          await bench.fill({ a: 5, b: 4, c: sequenced });
          // The log does not know these: only their neighbours do.
          for (const [at, count] of unsequenced.entries()) {
            const events = Array.from({ length: count }, (_, n) => ({ id: `c-${at}-${n}`, type: 'Placed', data: {} }));
            await bench.system.eventStore.append('c', events, 'any');
          }
          await bench.archive();
          const whole = await bench.everything();
          const put = (Item: Record<string, unknown>) => bench.system.dynamo.put({ TableName: 'Events', Item });
          for (const one of damages) {
            const { streamId, version } = one.at;
            const item: Record<string, unknown> = { ...(await bench.item(streamId, version)) };
            if (one.kind === 'remove') await bench.remove(streamId, version);
            else if (item.streamId === undefined) continue;
            else if (one.kind === 'set') await put({ ...item, [one.name]: one.value });
            else if (one.kind === 'copy') await put({ ...item, ...one.to });
            else if (one.kind === 'swap') {
              const other = await bench.item(one.with.streamId, one.with.version);
              if (other === undefined) continue;
              await put({ ...other, streamId, version });
              await put({ ...item, ...one.with });
            } else {
              delete item[one.name];
              await put(item);
            }
          }
          const ofC = async () => (await bench.system.items('Events')).filter(({ streamId }) => streamId === 'c');
          const highest = (await ofC())
            .filter(({ version }) => Number.isInteger(version))
            .reduce((end, { version }) => Math.max(end, Number(version)), 0);
          /** Without an item and a place in the log there is no such stream. */
          const known = async () => ['a', 'b', ...(sequenced > 0 || (await ofC()).length > 0 ? ['c'] : [])];
          const plan = await bench.plan({ streams: await known() });
          if (plan.result === 'nothing') return;
          const first = await bench.apply(plan.planId);
          // An item behind the end that nobody can vouch for stays until somebody says that it is garbage.
          const again = await bench.plan({ streams: await known(), discardUnknownEnd: true });
          const done = again.result === 'nothing' ? first : await bench.apply(again.planId);
          const now = await bench.everything();
          // A lost tail that the log never knew leaves no trace: nothing can ask for it.
          const isWithoutTrace = (item: string) => {
            const { streamId, version } = JSON.parse(item);
            return streamId === 'c' && version > Math.max(sequenced, highest);
          };
          expect(now.filter((item) => !whole.includes(item))).toEqual([]);
          expect(whole.filter((item) => !now.includes(item) && !isWithoutTrace(item))).toEqual([]);
          expect(done).toMatchObject({ result: 'done', totals: { stale: 0, conflicting: 0 } });
          expect(await bench.plan({ streams: ['a', 'b'] })).toMatchObject({ result: 'nothing' });
        },
      ),
      { numRuns: 300 },
    );
  });
});
