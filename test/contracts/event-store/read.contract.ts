// Reads of one stream: from any version, in both directions, whole or piece by piece, by time.

import { describe, expect, it } from '@jest/globals';
import {
  collect,
  errorOf,
  idsOf,
  newEvent,
  newEvents,
  noise,
  removeCommit,
  versionsOf,
} from '../../flow/event-store/support.ts';
import type { EventStoreFixture } from './fixture.ts';

const upTo = (first: number, last: number): number[] =>
  Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);

export function readContract(current: () => EventStoreFixture): void {
  /** Commits of these sizes, one second apart. */
  const stream = async (sizes: readonly number[], streamId = 's'): Promise<void> => {
    const { store, world } = current();
    let version = 0;
    for (const size of sizes) {
      await store.append(streamId, newEvents(size, 'e', version + 1), version);
      version += size;
      world.clock.advance(1_000);
    }
  };

  describe('reading a stream', () => {
    it('gives nothing for a stream that does not exist', async () => {
      const { store } = current();
      expect(await store.read('nobody')).toEqual([]);
      expect(await store.read('nobody', 7)).toEqual([]);
      expect(await store.read('nobody', undefined, { direction: 'backwards' })).toEqual([]);
      expect(await collect(store.readCommits('nobody'))).toEqual([]);
      expect(await store.getVersion('nobody')).toBe(0);
      expect(await store.readByTimeRange('nobody', new Date(0), new Date(1))).toEqual([]);
    });

    it('begins at any version, also in the middle of a commit, and gives nothing past the end', async () => {
      const { store } = current();
      await stream([3, 1, 4, 2]);
      for (let from = 1; from <= 13; from += 1) {
        const events = await store.read('s', from);
        expect(versionsOf(events)).toEqual(upTo(from, 10));
        expect(idsOf(events)).toEqual(upTo(from, 10).map((version) => `e${version}`));
      }
      expect(await store.read('s', Number.MAX_SAFE_INTEGER)).toEqual([]);
      expect(await store.getVersion('s')).toBe(10);
    });

    it('goes backwards from any version, and from the end when none is given', async () => {
      const { store } = current();
      await stream([3, 1, 4, 2]);
      const backwards = { direction: 'backwards' } as const;
      for (let from = 1; from <= 13; from += 1) {
        expect(versionsOf(await store.read('s', from, backwards))).toEqual(upTo(1, Math.min(from, 10)).reverse());
      }
      expect(versionsOf(await store.read('s', undefined, backwards))).toEqual(upTo(1, 10).reverse());
    });

    it.each(['forwards', 'backwards'] as const)('stops at the limit (%s)', async (direction) => {
      const { store } = current();
      await stream([3, 1, 4, 2]);
      for (let limit = 1; limit <= 11; limit += 1) {
        const all = direction === 'forwards' ? upTo(2, 10) : upTo(1, 9).reverse();
        const from = direction === 'forwards' ? 2 : 9;
        expect(versionsOf(await store.read('s', from, { direction, limit }))).toEqual(all.slice(0, limit));
      }
    });

    it('gives the same events one by one, and as whole commits that begin with the one that contains the version', async () => {
      const { store } = current();
      await stream([3, 1, 4, 2]);
      expect(await collect(store.readStream('s', 6))).toEqual(await store.read('s', 6));
      const commits = async (...read: Parameters<typeof store.readCommits>) =>
        (await collect(store.readCommits(...read))).map(({ version, count, events }) => [
          version,
          count,
          events.length,
        ]);
      expect(await commits('s', 6)).toEqual([
        [5, 4, 4],
        [9, 2, 2],
      ]);
      expect(await commits('s', 6, { direction: 'backwards' })).toEqual([
        [5, 4, 4],
        [4, 1, 1],
        [1, 3, 3],
      ]);
      expect(await commits('s', 6, { limit: 3 })).toEqual([[5, 4, 4]]);
      expect(await commits('s', 6, { limit: 4 })).toEqual([
        [5, 4, 4],
        [9, 2, 2],
      ]);
      expect(await commits('s', 11)).toEqual([]);
    });

    it('gives the commits of one request at a time, with the one before that contains the version', async () => {
      const { store } = current();
      await stream([3, 1, 4, 2]);
      const pages = async (...read: Parameters<typeof store.readCommitPages>) =>
        (await collect(store.readCommitPages(...read))).map((commits) => commits.map(({ version }) => version));
      expect(await pages('s')).toEqual([[1, 4, 5, 9]]);
      expect(await pages('s', 2)).toEqual([[1, 4, 5, 9]]);
      expect(await pages('s', 10)).toEqual([[9]]);
      expect(await pages('s', 4, { limit: 1 })).toEqual([[4]]);
      expect(await pages('s', 11)).toEqual([]);
      expect(await pages('nobody')).toEqual([]);
    });

    it('takes one request where a commit begins, and two elsewhere', async () => {
      const { store, dynamo } = current();
      await stream([3, 1, 4]);
      const cost = async (from: number): Promise<number> => {
        dynamo.calls.length = 0;
        await store.read('s', from);
        return dynamo.calls.length;
      };
      expect([await cost(1), await cost(4), await cost(5)]).toEqual([1, 1, 1]);
      expect([await cost(2), await cost(7), await cost(9)]).toEqual([2, 2, 2]);
    });

    it('reads no more than the caller takes from a long stream', async () => {
      const { store, dynamo } = current();
      // Ten commits of about 225 KB as they are stored: DynamoDB gives four or five of them in an answer of 1 MB.
      for (let version = 0; version < 10; version += 1) {
        await store.append('long', [newEvent(`e${version}`, noise(300_000, version))], version);
      }
      dynamo.calls.length = 0;
      const seen: number[] = [];
      for await (const { metadata } of store.readStream('long')) {
        seen.push(metadata.version);
        if (seen.length === 2) break;
      }
      expect(seen).toEqual([1, 2]);
      expect(dynamo.calls).toHaveLength(1);
      expect(versionsOf(await store.read('long'))).toEqual(upTo(1, 10));
      expect(dynamo.calls.length).toBeGreaterThanOrEqual(1 + 2);
      dynamo.calls.length = 0;
      await store.read('long', 1, { limit: 1 });
      expect(dynamo.calls.map(({ input }) => input.Limit)).toEqual([1]);
    });

    it('is consistent unless the caller wants it cheaper', async () => {
      const { store, dynamo } = current();
      await stream([2]);
      dynamo.calls.length = 0;
      await store.read('s', 2);
      await store.getVersion('s');
      expect(dynamo.calls.map(({ input }) => input.ConsistentRead)).toEqual([true, true, true]);
      dynamo.calls.length = 0;
      await store.read('s', 2, { consistent: false });
      expect(dynamo.calls.map(({ input }) => input.ConsistentRead)).toEqual([false, false]);
    });

    it('takes no replica that is behind the one before it for damage', async () => {
      const { store, dynamo } = current();
      await stream([1, 3, 1]);
      // The second read meets a replica that has the first commit only.
      dynamo.intercept = async ({ input }, apply) => {
        const isBehind = input.ConsistentRead === false && input.ScanIndexForward === false;
        if (!isBehind) return apply();
        const values = { ...(input.ExpressionAttributeValues as object), ':version': 1 };
        input.ExpressionAttributeValues = values;
        return apply();
      };
      expect(versionsOf(await store.read('s', 3, { consistent: false }))).toEqual([3, 4, 5]);
      await removeCommit(dynamo, 's', 2);
      expect(await errorOf(store.read('s', 3, { consistent: false }))).toMatchObject({ code: 'STREAM_DAMAGED' });
    });
  });

  describe('reading by time', () => {
    it('gives the events that were recorded in the range, both ends included', async () => {
      const { store, world } = current();
      const start = world.clock.now();
      await stream([3, 1, 4, 2, 1]);
      const between = async (fromMs: number, toMs: number) =>
        versionsOf(await store.readByTimeRange('s', new Date(start + fromMs), new Date(start + toMs)));
      expect(await between(0, 0)).toEqual([1, 2, 3]);
      expect(await between(1_000, 2_000)).toEqual(upTo(4, 8));
      expect(await between(1_001, 1_999)).toEqual([]);
      expect(await between(-5_000, -1)).toEqual([]);
      expect(await between(4_000, 4_000)).toEqual([11]);
      expect(await between(4_001, 9_000)).toEqual([]);
      expect(await between(-5_000, 99_000)).toEqual(upTo(1, 11));
    });

    it('finds all commits of one millisecond', async () => {
      const { store, world } = current();
      const at = world.clock.now();
      for (let version = 0; version < 9; version += 1) {
        if (version === 3 || version === 6) world.clock.advance(1);
        await store.append('s', [newEvent(`e${version}`)], version);
      }
      expect(versionsOf(await store.readByTimeRange('s', new Date(at + 1), new Date(at + 1)))).toEqual([4, 5, 6]);
    });

    it('takes O(log n) reads to find where the range begins', async () => {
      const { store, world, dynamo } = current();
      const start = world.clock.now();
      await stream(Array(200).fill(1));
      for (const second of [0, 77, 199]) {
        dynamo.calls.length = 0;
        const at = new Date(start + second * 1_000);
        expect(versionsOf(await store.readByTimeRange('s', at, at))).toEqual([second + 1]);
        // The last commit, at most ceil(log2(200)) = 8 probes, the range.
        expect(dynamo.calls.length).toBeLessThanOrEqual(1 + 8 + 1);
      }
    });

    it('counts commits for that, not events', async () => {
      const { store, world, dynamo } = current();
      const start = world.clock.now();
      await stream(Array(16).fill(60));
      for (const second of [1, 9, 15]) {
        dynamo.calls.length = 0;
        const at = new Date(start + second * 1_000);
        expect(await store.readByTimeRange('s', at, at)).toHaveLength(60);
        // The last commit, at most log2(16) + 1 = 5 probes, the range; by events it would be up to 10 probes.
        expect(dynamo.calls.length).toBeLessThanOrEqual(1 + 5 + 1);
      }
    });

    it('refuses what is no range', async () => {
      const { store } = current();
      const now = new Date(1_000);
      for (const [from, to] of [
        [now, new Date(999)],
        [new Date(Number.NaN), now],
        [now, 'tomorrow' as unknown as Date],
      ] as const) {
        expect(await errorOf(store.readByTimeRange('s', from, to))).toMatchObject({ code: 'INVALID_TIME_RANGE' });
      }
    });
  });
}
