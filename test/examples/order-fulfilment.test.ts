// Order fulfilment: what its consumers do with an event, what its producer appends, and what both refuse.

import { describe, expect, it } from '@jest/globals';
import { checkOrderLine, type OrderLine, orderEvents } from '../../examples/order-fulfilment/events.ts';
import { inventory } from '../../examples/order-fulfilment/inventory/consumer.ts';
import { stockKey, stockWrites } from '../../examples/order-fulfilment/inventory/react.ts';
import { confirmationOf } from '../../examples/order-fulfilment/notification/confirmation.ts';
import { notification } from '../../examples/order-fulfilment/notification/consumer.ts';
import { cancelOrder, placeOrder, placeOrdersAtCounter } from '../../examples/order-fulfilment/place-order.ts';
import { checkDeclaration } from '../../lib/flow/consumer/declaration.ts';
import type { EventStore } from '../../lib/flow/event-store/port.ts';
import type { Event, Json } from '../../lib/model/event.ts';

const ORDER: OrderLine = { orderId: '4711', customerId: 'ada', sku: 'tea', quantity: 2 };

const event = (type: string, data: Json): Event =>
  ({
    id: 'placed-4711',
    streamId: 'order-4711',
    type,
    data,
    metadata: { version: 1, timestamp: new Date(0), correlationId: 'request-1', causationId: 'request-1' },
  }) as unknown as Event;

const ids = () => {
  let last = 0;
  return () => `id-${++last}`;
};

describe('the inventory consumer', () => {
  it('takes placed pieces out of stock and writes the movement down', () => {
    expect(stockWrites(event('OrderPlaced', { ...ORDER }), 'Inventory', ids())).toEqual([
      {
        Update: expect.objectContaining({
          TableName: 'Inventory',
          Key: stockKey('tea'),
          UpdateExpression: 'ADD #available :pieces',
          ExpressionAttributeValues: { ':pieces': -2 },
        }),
      },
      {
        Put: {
          TableName: 'Inventory',
          Item: expect.objectContaining({
            pk: 'movement#order-4711',
            sk: '0000000000000001#id-1',
            pieces: -2,
            version: 1,
          }),
        },
      },
    ]);
  });

  it('puts cancelled pieces back', () => {
    const [update] = stockWrites(event('OrderCancelled', { ...ORDER }), 'Inventory', ids());
    expect(update?.Update?.ExpressionAttributeValues).toEqual({ ':pieces': 2 });
  });

  it('writes a second row when it runs twice, so that the ledger shows a doubled effect', () => {
    const nextId = ids();
    const rows = [1, 2].map(
      () => stockWrites(event('OrderPlaced', { ...ORDER }), 'Inventory', nextId)[1]?.Put?.Item?.sk,
    );
    expect(new Set(rows).size).toBe(2);
  });

  it('gives up on an order that it cannot read, and on a type that it does not know', () => {
    expect(() => stockWrites(event('OrderPlaced', { sku: 'tea' }), 'Inventory', ids())).toThrow(
      /data of OrderPlaced: got/,
    );
    expect(() => stockWrites(event('OrderShipped', { ...ORDER }), 'Inventory', ids())).toThrow(
      /OrderPlaced or OrderCancelled/,
    );
  });
});

describe('the notification consumer', () => {
  it('sends a confirmation that names its event, so that a repeated one is recognised', () => {
    const first = confirmationOf(event('OrderPlaced', { ...ORDER }));
    expect(first).toEqual(confirmationOf(event('OrderPlaced', { ...ORDER })));
    expect(first.attributes).toEqual({ eventId: 'placed-4711', orderId: '4711' });
    expect(JSON.parse(first.message)).toMatchObject({
      correlationId: 'request-1',
      text: 'Thank you for order 4711: 2 x tea.',
    });
  });
});

describe('the declarations', () => {
  it('ask only for event types that are declared', () => {
    for (const declaration of [inventory, notification]) {
      expect(() => checkDeclaration(declaration, orderEvents)).not.toThrow();
    }
  });
});

describe('the producer', () => {
  const recording = () => {
    const calls: unknown[][] = [];
    const eventStore = {
      append: async (...call: unknown[]) => {
        calls.push(call);
      },
    } as unknown as Pick<EventStore, 'append'>;
    return { calls, eventStore };
  };

  it('appends an order to its own new stream, under an id that a retry repeats', async () => {
    const { calls, eventStore } = recording();
    await placeOrder(eventStore, ORDER, { correlationId: 'request-1' });
    await placeOrder(eventStore, ORDER, { correlationId: 'request-1' });
    expect(calls[0]).toEqual([
      'order-4711',
      [{ id: 'placed-4711', type: 'OrderPlaced', data: { ...ORDER } }],
      'no-stream',
      { correlationId: 'request-1' },
    ]);
    expect(calls[1]).toEqual(calls[0]);
  });

  it('cancels at the version that it has seen, and rings up several orders of a counter in one commit', async () => {
    const { calls, eventStore } = recording();
    await cancelOrder(eventStore, ORDER, 1);
    await placeOrdersAtCounter(eventStore, '7', [ORDER, { ...ORDER, orderId: '4712' }], 40);
    expect(calls[0]?.slice(0, 3)).toEqual(['order-4711', [expect.objectContaining({ type: 'OrderCancelled' })], 1]);
    expect(calls[1]?.[0]).toBe('counter-7');
    expect(calls[1]?.[1]).toHaveLength(2);
    expect(calls[1]?.[2]).toBe(40);
  });

  it.each([
    { ...ORDER, quantity: 0 },
    { ...ORDER, quantity: 1.5 },
    { ...ORDER, quantity: 10_001 },
    { ...ORDER, sku: '' },
    null,
  ])('refuses %j before anything is written', async (order) => {
    const { calls, eventStore } = recording();
    await expect(placeOrder(eventStore, order as OrderLine)).rejects.toThrow(/quantity a whole number from 1 to 10000/);
    expect(() => checkOrderLine(order, 'order')).toThrow();
    expect(calls).toEqual([]);
  });
});
