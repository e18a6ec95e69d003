// The SDK engine against DynamoDB Local: it sends a Date header, and the clock that comes of it is right.

import { afterAll, describe, expect, it } from '@jest/globals';
import { createDynamo } from '../../../lib/platform/dynamodb/client.ts';
import { createServerClock } from '../../../lib/platform/server-clock.ts';
import { createLocalTables, returnLocalClient, takeLocalClient } from '../../support/dynamodb-local.ts';

const TABLE = { name: 'Things', partitionKey: { name: 'pk', type: 'S' } } as const;

describe('server clock over DynamoDB Local', () => {
  const client = takeLocalClient();
  afterAll(() => returnLocalClient(client, [TABLE]));

  it('corrects a machine that is five minutes fast', async () => {
    await createLocalTables(client, [TABLE]);
    const serverClock = createServerClock({ now: () => Date.now() + 300_000 });
    const dynamo = createDynamo(client, { serverClock });
    for (let i = 0; i < 20; i += 1) await dynamo.put({ TableName: 'Things', Item: { pk: `p${i}` } });
    const { errorMs } = serverClock.estimate() as { errorMs: number };
    expect(errorMs).toBeLessThanOrEqual(1_000);
    expect(Math.abs(serverClock.now() - Date.now())).toBeLessThanOrEqual(errorMs + 5);
  });
});
