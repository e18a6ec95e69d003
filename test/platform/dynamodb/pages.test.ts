// Pages as async iterables.

import { describe, expect, it } from '@jest/globals';
import { createMemoryDynamo } from '../../../lib/platform/dynamodb/memory/index.ts';
import { queryAll, queryPages, scanAll, scanPages } from '../../../lib/platform/dynamodb/pages.ts';
import type { Dynamo } from '../../../lib/platform/dynamodb/port.ts';
import { createManualClock } from '../../support/world.ts';

const TableName = 'Things';
const all = { TableName, KeyConditionExpression: 'pk = :p', ExpressionAttributeValues: { ':p': 'a' } };

async function seven() {
  const engine = createMemoryDynamo({
    clock: createManualClock(),
    tables: [{ name: TableName, partitionKey: { name: 'pk', type: 'S' }, sortKey: { name: 'sk', type: 'N' } }],
  });
  for (let sk = 1; sk <= 7; sk += 1) await engine.put({ TableName, Item: { pk: 'a', sk } });
  let requests = 0;
  const counted: Pick<Dynamo, 'query' | 'scan'> = {
    query: (input) => {
      requests += 1;
      return engine.query(input);
    },
    scan: (input) => {
      requests += 1;
      return engine.scan(input);
    },
  };
  return { dynamo: counted, requests: () => requests };
}

const collect = async <T>(iterable: AsyncIterable<T>): Promise<T[]> => {
  const items: T[] = [];
  for await (const item of iterable) items.push(item);
  return items;
};

describe('pages', () => {
  it('of a query are read to the end, in order', async () => {
    const { dynamo } = await seven();
    expect(await collect(queryAll<{ sk: number }>(dynamo, { ...all, Limit: 2 }))).toEqual(
      [1, 2, 3, 4, 5, 6, 7].map((sk) => ({ pk: 'a', sk })),
    );
    const sizes = (await collect(queryPages(dynamo, { ...all, Limit: 3 }))).map(({ Count }) => Count);
    expect(sizes).toEqual([3, 3, 1]);
  });

  it('that are empty do not end the reading', async () => {
    const { dynamo, requests } = await seven();
    const found = await collect(
      queryAll(dynamo, {
        ...all,
        Limit: 2,
        FilterExpression: 'extra > :n',
        ExpressionAttributeValues: { ':p': 'a', ':n': 5 },
      }),
    );
    expect(found).toEqual([]);
    expect(requests()).toBe(4);
  });

  it('start where the caller says, and backwards', async () => {
    const { dynamo } = await seven();
    const found = await collect(
      queryAll(dynamo, { ...all, ScanIndexForward: false, ExclusiveStartKey: { pk: 'a', sk: 4 }, Limit: 1 }),
    );
    expect(found.map(({ sk }) => sk)).toEqual([3, 2, 1]);
  });

  it('are not read ahead of the caller', async () => {
    const { dynamo, requests } = await seven();
    for await (const { sk } of queryAll(dynamo, { ...all, Limit: 2 })) if (sk === 2) break;
    expect(requests()).toBe(1);
  });

  it('of a scan are read to the end', async () => {
    const { dynamo } = await seven();
    expect(await collect(scanAll(dynamo, { TableName, Limit: 2 }))).toHaveLength(7);
    expect((await collect(scanPages(dynamo, { TableName, Limit: 7 }))).length).toBeLessThanOrEqual(2);
  });
});
