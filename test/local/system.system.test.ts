// The real app on one machine: an order goes through, a killed consumer resumes, faults reach exactly their function.

import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { GetParametersByPathCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { placeOrder, placeOrdersAtCounter } from '../../examples/order-fulfilment/place-order.ts';
import { type LocalSystem, startLocalSystem } from '../../lib/local/index.ts';
import { waitUntil } from '../../lib/recovery/drill/wait-until.ts';

let system: LocalSystem;
let dynamodb: DynamoDBClient;

const order = (orderId: string) => ({ orderId, customerId: 'ada', sku: 'tea', quantity: 2 });

interface Movement {
  eventId: string;
  version: number;
}

async function movements(streamId: string): Promise<Movement[]> {
  const { Items = [] } = await dynamodb.send(
    new ScanCommand({ TableName: system.outputs.InventoryTableName, ConsistentRead: true }),
  );
  return Items.filter((item) => item.streamId?.S === streamId)
    .map((item) => ({ eventId: String(item.eventId?.S), version: Number(item.version?.N) }))
    .sort((a, b) => a.version - b.version);
}
const moved = (streamId: string, count: number): Promise<Movement[]> =>
  waitUntil(
    `${count} movements of ${streamId}`,
    async () => {
      const found = await movements(streamId);
      return found.length >= count ? found : undefined;
    },
    { timeoutMs: 50_000 },
  );

beforeAll(async () => {
  system = await startLocalSystem();
  dynamodb = new DynamoDBClient(system.clientConfig);
}, 180_000);
afterAll(() => system?.stop());

describe('the local system', () => {
  it('takes an order from the store to both consumers', async () => {
    const confirmed: string[] = [];
    const publishes = { functionName: 'notification', service: 'sns', operation: 'Publish' };
    system.faults.observe(publishes, (call) => confirmed.push(new URLSearchParams(call.bodyText).get('Message') ?? ''));
    await placeOrder(system.eventStore, order('simple'));
    expect(await moved('order-simple', 1)).toEqual([{ eventId: 'placed-simple', version: 1 }]);
    await waitUntil('the confirmation', async () => confirmed.find((message) => message.includes('placed-simple')));
  });

  it('has the names of its tables and functions where operators look for them', async () => {
    const ssm = new SSMClient(system.clientConfig);
    const { Parameters = [] } = await ssm.send(new GetParametersByPathCommand({ Path: '/event-recovery' }));
    expect(Parameters.map((parameter) => parameter.Value)).toContain(system.outputs.EventsTableName);
    expect(system.endpoints.dynamodb).toBe(system.environment.AWS_ENDPOINT_URL);
  });

  it('replaces the processes of a killed function', async () => {
    expect(system.kill('inventory')).toBeGreaterThan(0);
    await placeOrder(system.eventStore, order('after-kill'));
    expect(await moved('order-after-kill', 1)).toHaveLength(1);
  });

  it('lets a consumer that was killed behind its commit go on with the next event, once each', async () => {
    const kill = system.faults.killOn({
      functionName: 'inventory',
      service: 'dynamodb',
      operation: 'TransactWriteItems',
      when: 'after',
      match: (body) => body.includes('"placed-counter-3"'),
    });
    const orders = [1, 2, 3, 4, 5].map((number) => order(`counter-${number}`));
    await placeOrdersAtCounter(system.eventStore, 'killed', orders, 0);
    await kill.whenFired();
    const all = await moved('counter-killed', 5);
    expect(all.map((movement) => movement.version)).toEqual([1, 2, 3, 4, 5]);
  });

  it('survives throttled transactions', async () => {
    const throttled = system.faults.failOn({
      functionName: 'inventory',
      service: 'dynamodb',
      operation: 'TransactWriteItems',
      code: 'ThrottlingException',
      times: 3,
    });
    await placeOrder(system.eventStore, order('throttled'));
    await throttled.whenFired({ count: 3 });
    expect(await moved('order-throttled', 1)).toHaveLength(1);
  });
});
