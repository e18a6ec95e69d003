// The size of an item to the byte: padded to 1,024 bytes by our arithmetic it costs one write unit on DynamoDB Local, with
// one byte more it costs two. Sizes decide about the 400 KB limit, pages, and every cost figure that we publish.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { itemSize, KB } from '../../../lib/platform/dynamodb/memory/size.ts';
import { copyItemIn } from '../../../lib/platform/dynamodb/memory/values.ts';
import type { TableSchema } from '../../../lib/platform/dynamodb/table-schema.ts';
import { type EngineTables, localEngine } from '../../support/engines.ts';
import { attributes, attributeValue } from './parity/arbitrary-expressions.ts';

const TABLE: TableSchema = { name: 'Sizes', partitionKey: { name: 'pk', type: 'S' } };
const numRuns = Number(process.env.PARITY_RUNS ?? 80);

const numbers = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer({ min: -100_000, max: 100_000 }),
  fc.double({ min: -1e6, max: 1e6, noNaN: true }).filter((n) => n === 0 || Math.abs(n) > 1e-20),
  fc.tuple(fc.integer({ min: 1, max: 999 }), fc.integer({ min: -20, max: 12 })).map(([n, e]) => Number(`${n}e${e}`)),
  fc.bigInt({ min: -(10n ** 37n), max: 10n ** 37n }),
);

describe('item size', () => {
  let tables: EngineTables;
  beforeAll(async () => {
    tables = await localEngine.createTables([TABLE]);
  });
  afterAll(() => tables.close());

  const unitsOf = async (item: Record<string, unknown>): Promise<number> => {
    await tables.dynamo.delete({ TableName: 'Sizes', Key: { pk: 'p' } });
    const answer = await tables.dynamo.put({ TableName: 'Sizes', Item: item, ReturnConsumedCapacity: 'TOTAL' });
    return answer.ConsumedCapacity?.CapacityUnits as number;
  };

  it.each([
    ['numbers', fc.record({ a: numbers })],
    [
      'sets of numbers',
      fc.record({ a: fc.uniqueArray(fc.integer(), { minLength: 1, maxLength: 4 }).map((all) => new Set(all)) }),
    ],
    ['texts', fc.record({ a: fc.string({ unit: 'grapheme', maxLength: 60 }) })],
    ['bytes', fc.record({ a: fc.uint8Array({ maxLength: 60 }) })],
    ['documents', attributes],
    ['nested documents', fc.record({ deep: fc.array(fc.record({ inner: attributeValue }), { maxLength: 3 }) })],
  ])('of %s is exact', async (_, arbitrary: fc.Arbitrary<Record<string, unknown>>) => {
    await fc.assert(
      fc.asyncProperty(arbitrary, async (given) => {
        const item = { pk: 'p', ...given, pad: '' };
        const missing = KB - itemSize(copyItemIn(item));
        expect(missing).toBeGreaterThan(0);
        expect(await unitsOf({ ...item, pad: 'x'.repeat(missing) })).toBe(1);
        expect(await unitsOf({ ...item, pad: 'x'.repeat(missing + 1) })).toBe(2);
      }),
      { seed: 1, numRuns },
    );
  });
});
