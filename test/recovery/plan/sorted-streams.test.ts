import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { StreamId, Version } from '../../../lib/model/ids.ts';
import { RECOVERY_TABLE } from '../../../lib/platform/dynamodb/schemas.ts';
import { createRuns } from '../../../lib/recovery/plan/plans.ts';
import { count, versionsOf } from '../../../lib/recovery/plan/ranges.ts';
import type { StreamEvents } from '../../../lib/recovery/plan/select-events.ts';
import { sortedStreams } from '../../../lib/recovery/plan/sorted-streams.ts';
import { memoryEngine } from '../../support/engines.ts';

/** Which stream each event of a log belongs to, and whether it is selected. */
const log = fc.array(fc.record({ stream: fc.nat(6), isSelected: fc.boolean() }), { maxLength: 60 });

function partsOf(events: readonly { stream: number; isSelected: boolean }[]): StreamEvents[] {
  const heads = new Map<number, number>();
  return events.map(({ stream, isSelected }) => {
    const version = ((heads.get(stream) ?? 0) + 1) as Version;
    heads.set(stream, version);
    return {
      streamId: `order-${stream}` as StreamId,
      ranges: [[version, version]],
      ...(isSelected && { first: version, last: version }),
    };
  });
}

async function* asyncOf<T>(all: readonly T[]): AsyncGenerator<T> {
  yield* structuredClone(all) as T[];
}

async function createStoredRuns() {
  const tables = await memoryEngine.createTables([RECOVERY_TABLE]);
  return { ...tables, runs: createRuns({ dynamo: tables.dynamo, table: 'Recovery', world: tables.world }, 'plan-1') };
}

async function collected(parts: readonly StreamEvents[], heldMax: number) {
  const { runs, items } = await createStoredRuns();
  const streams: StreamEvents[] = [];
  for await (const stream of sortedStreams(asyncOf(parts.map((part) => [part])), runs, heldMax)) streams.push(stream);
  const spilled = (await items('Recovery')).length;
  await runs.remove();
  expect(await items('Recovery')).toEqual([]);
  return { streams, spilled };
}

describe('streams sorted outside of memory', () => {
  it('come once each, whole and in order, however little memory there is', async () => {
    await fc.assert(
      fc.asyncProperty(log, fc.integer({ min: 1, max: 12 }), async (events, heldMax) => {
        const parts = partsOf(events);
        const { streams } = await collected(parts, heldMax);
        const ids = [...new Set(parts.map(({ streamId }) => streamId))].sort();
        expect(streams.map(({ streamId }) => streamId)).toEqual(ids);
        for (const { streamId, ranges, first, last } of streams) {
          const own = parts.filter((part) => part.streamId === streamId);
          expect(versionsOf(ranges)).toEqual(own.map((_, index) => index + 1));
          expect(ranges).toHaveLength(1);
          const selected = own.flatMap((part) => part.first ?? []);
          expect([first, last]).toEqual([selected[0], selected.at(-1)]);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('are put aside only when they do not fit', async () => {
    const parts = partsOf(Array.from({ length: 20 }, (_, index) => ({ stream: index % 7, isSelected: true })));
    expect((await collected(parts, 100)).spilled).toBe(0);
    expect((await collected(parts, 3)).spilled).toBeGreaterThan(3);
  });

  it('may have more ranges than one stored row takes', async () => {
    const ranges = Array.from({ length: 24_000 }, (_, index): [Version, Version] => [
      (2 * index + 1) as Version,
      (2 * index + 1) as Version,
    ]);
    const one = (streamId: string): StreamEvents => ({
      streamId: streamId as StreamId,
      ranges: structuredClone(ranges),
      first: 1 as Version,
      last: 47_999 as Version,
    });
    const { streams, spilled } = await collected([one('order-1'), one('order-2')], 24_000);
    expect(streams.map(({ streamId, ranges: found }) => [streamId, count(found)])).toEqual([
      ['order-1', 24_000],
      ['order-2', 24_000],
    ]);
    expect(spilled).toBeGreaterThan(2);
  });

  it('refuse more runs than can be merged in memory', async () => {
    const parts = partsOf(Array.from({ length: 202 }, (_, index) => ({ stream: index, isSelected: true })));
    await expect(collected(parts, 1)).rejects.toMatchObject({ code: 'PLAN_TOO_LARGE' });
  });
});
