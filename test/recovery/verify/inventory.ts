// The example's inventory on the memory engine: its real react and its real verify, over reads of the engine's own.

import type { StockLedger, SummedItem } from '../../../examples/order-fulfilment/inventory/ledger.ts';
import {
  movementPartition,
  type StockMovement,
  stockKey,
  stockWrites,
} from '../../../examples/order-fulfilment/inventory/react.ts';
import { verifyMovements, verifyStock } from '../../../examples/order-fulfilment/inventory/verify.ts';
import type { Json } from '../../../lib/model/event.ts';
import type { Dynamo } from '../../../lib/platform/dynamodb/port.ts';
import type { TableSchema } from '../../../lib/platform/dynamodb/table-schema.ts';
import type { SmallSystem } from '../../support/small-system.ts';

export const STOCK: TableSchema = {
  name: 'Stock',
  partitionKey: { name: 'pk', type: 'S' },
  sortKey: { name: 'sk', type: 'S' },
};

export const ledgerOf = (dynamo: Dynamo): StockLedger => ({
  async movementsOf(streamId) {
    const { Items = [] } = await dynamo.query({
      TableName: STOCK.name,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': movementPartition(streamId) },
      ConsistentRead: true,
    });
    return Items as unknown as StockMovement[];
  },
  async *items() {
    const { Items = [] } = await dynamo.scan({ TableName: STOCK.name, ConsistentRead: true });
    yield* Items as unknown as SummedItem[];
  },
  async available(sku) {
    const { Item } = await dynamo.get({ TableName: STOCK.name, Key: stockKey(sku), ConsistentRead: true });
    return Number(Item?.available ?? 0);
  },
});

export async function addInventory(system: SmallSystem, options: { onPoison?: 'park' | 'skip' } = {}): Promise<void> {
  const ledger = ledgerOf(system.dynamo);
  await system.addConsumer(
    {
      name: 'inventory',
      eventTypes: ['OrderPlaced', 'OrderCancelled'],
      effects: 'transactional',
      maxAttempts: 1,
      ...options,
    },
    (event) => stockWrites(event, STOCK.name, () => system.world.ids.next()),
    { verify: verifyMovements(ledger), verifyWhole: verifyStock(ledger) },
  );
}

/** One order per type: 2 teas, 3 coffees, 2 teas ... A `null` is an order that nobody can read. */
export async function order(system: SmallSystem, streamId: string, types: readonly (string | null)[]): Promise<void> {
  for (const type of types) {
    const version = (await system.eventStore.getVersion(streamId)) + 1;
    const data: Json =
      type === null
        ? { broken: true }
        : {
            orderId: `${streamId}-${version}`,
            customerId: 'ada',
            sku: version % 2 === 1 ? 'tea' : 'coffee',
            quantity: version % 2 === 1 ? 2 : 3,
          };
    const event = { id: `${streamId}-${version}`, type: type ?? 'OrderPlaced', data };
    await system.eventStore.append(streamId, [event], version - 1);
  }
}
