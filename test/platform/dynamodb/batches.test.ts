// Batches of any size over an engine that leaves things undone: nothing is lost, nothing is sent for ever.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { batchGetAll, batchWriteAll } from '../../../lib/platform/dynamodb/batches.ts';
import { createMemoryDynamo } from '../../../lib/platform/dynamodb/memory/index.ts';
import type { Dynamo } from '../../../lib/platform/dynamodb/port.ts';
import { createTestWorld } from '../../support/world.ts';

const TABLE = 'Things';
const keys = (count: number) => Array.from({ length: count }, (_, i) => ({ pk: `p${i}` }));

/** Leaves `undone[request]` of the items undone, none once the list is used up. */
function reluctant(undone: readonly number[]) {
  const world = createTestWorld();
  const engine = createMemoryDynamo({
    clock: world.clock,
    tables: [{ name: TABLE, partitionKey: { name: 'pk', type: 'S' } }],
  });
  const requests: number[] = [];
  const cut = (size: number): number => {
    requests.push(size);
    return Math.max(0, size - (undone[requests.length - 1] ?? 0));
  };
  const dynamo: Pick<Dynamo, 'batchGet' | 'batchWrite'> = {
    async batchGet(input) {
      const request = input.RequestItems?.[TABLE] as { Keys: Record<string, unknown>[] };
      const done = cut(request.Keys.length);
      const rest = request.Keys.slice(done);
      const answer =
        done === 0
          ? { Responses: {} }
          : await engine.batchGet({ RequestItems: { [TABLE]: { ...request, Keys: request.Keys.slice(0, done) } } });
      return { ...answer, UnprocessedKeys: rest.length > 0 ? { [TABLE]: { ...request, Keys: rest } } : undefined };
    },
    async batchWrite(input) {
      const all = input.RequestItems?.[TABLE] ?? [];
      const done = cut(all.length);
      if (done > 0) await engine.batchWrite({ RequestItems: { [TABLE]: all.slice(0, done) } });
      return { UnprocessedItems: done < all.length ? { [TABLE]: all.slice(done) } : undefined };
    },
  };
  return { dynamo, engine, requests, world };
}

const putAll = (count: number) => keys(count).map((Item) => ({ PutRequest: { Item } }));

describe('batches', () => {
  const reluctance = fc.array(fc.nat(60), { maxLength: 40 });

  it('bring every item there is, once, whatever is left undone', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(260), reluctance, async (count, undone) => {
        const { dynamo, engine, requests, world } = reluctant(undone.map((n) => Math.min(n, 90)));
        for (const Item of keys(count)) if (Item.pk !== 'p3') await engine.put({ TableName: TABLE, Item });
        const found = await batchGetAll(dynamo, TABLE, keys(count), { ...world, ConsistentRead: true }).catch(
          (error) => error,
        );
        if (found instanceof Error) {
          expect(found).toMatchObject({ code: 'BATCH_UNFINISHED', retryable: true });
        } else {
          expect(found.map(({ pk }: { pk?: unknown }) => pk).sort()).toEqual(
            keys(count)
              .map(({ pk }) => pk)
              .filter((pk) => pk !== 'p3')
              .sort(),
          );
        }
        for (const size of requests) expect(size).toBeLessThanOrEqual(100);
      }),
    );
  });

  it('write every item once, whatever is left undone', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(90), reluctance, async (count, undone) => {
        const { dynamo, engine, requests, world } = reluctant(undone.map((n) => Math.min(n, 24)));
        const failed = await batchWriteAll(dynamo, TABLE, putAll(count), world).catch((error) => error);
        expect(requests.length).toBeLessThanOrEqual(8 * Math.max(1, count));
        for (const size of requests) expect(size).toBeLessThanOrEqual(25);
        if (failed) expect(failed).toMatchObject({ code: 'BATCH_UNFINISHED', retryable: true });
        else expect(engine.items(TABLE)).toHaveLength(count);
      }),
    );
  });

  it('give up after eight requests without progress, and say how much is left', async () => {
    const { dynamo, requests, world } = reluctant(Array.from({ length: 100 }, () => 25));
    await expect(batchWriteAll(dynamo, TABLE, putAll(30), world)).rejects.toMatchObject({
      code: 'BATCH_UNFINISHED',
      facts: { operation: 'BatchWriteItem', left: 30, all: 30, rounds: 8 },
    });
    expect(requests).toHaveLength(8);
    expect(world.sleeps).toHaveLength(7);
    expect(world.sleeps.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(6_350);
  });

  it('go on as long as something gets done', async () => {
    const { dynamo, engine, world } = reluctant(Array.from({ length: 24 }, (_, i) => 24 - i));
    await batchWriteAll(dynamo, TABLE, putAll(25), world);
    expect(engine.items(TABLE)).toHaveLength(25);
  });

  it('stop when the signal aborts', async () => {
    const { dynamo, requests, world } = reluctant([25]);
    const reason = new Error('deadline');
    await expect(
      batchWriteAll(dynamo, TABLE, putAll(30), { ...world, signal: AbortSignal.abort(reason) }),
    ).rejects.toBe(reason);
    expect(requests).toEqual([]);
  });

  it('of nothing send nothing', async () => {
    const { dynamo, requests, world } = reluctant([]);
    expect(await batchGetAll(dynamo, TABLE, [], world)).toEqual([]);
    await batchWriteAll(dynamo, TABLE, [], world);
    expect(requests).toEqual([]);
  });
});
