import { marshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it } from '@jest/globals';
import { stockWrites } from '../../../examples/order-fulfilment/inventory/react.ts';
import { confirmationOf } from '../../../examples/order-fulfilment/notification/confirmation.ts';
import type { Event } from '../../../lib/model/event.ts';
import { killSpots, secondSpot } from '../../../lib/recovery/drill/scenarios/consumer-crash.ts';
import { SCENARIOS } from '../../../lib/recovery/drill/scenarios/index.ts';
import type { WatchedConsumer } from '../../../lib/recovery/drill/workload.ts';
import { github } from '../../../lib/recovery/drill/workloads/github.ts';
import { ORDER_CONSUMERS } from '../../../lib/recovery/drill/workloads/order-consumers.ts';
import { orders } from '../../../lib/recovery/drill/workloads/orders.ts';

const [inventory, notification] = ORDER_CONSUMERS as [WatchedConsumer, WatchedConsumer];
const options = { prefix: 'counter-x-', streams: 3, events: 30, seed: 7 };
const event = {
  id: 'placed-x-1-5',
  streamId: 'counter-x-1',
  type: 'OrderPlaced',
  data: { orderId: 'x-1-5', customerId: 'ada', sku: 'tea', quantity: 2 },
  metadata: { version: 5, timestamp: new Date(0), correlationId: 'c', causationId: 'c' },
} as unknown as Event;
const seen = { streamId: 'counter-x-1', version: 5, eventId: 'placed-x-1-5' };

describe('what a drill feeds in', () => {
  it('is the same for the same seed, and other orders for another', () => {
    expect(orders.plan(options)).toEqual(orders.plan(options));
    expect(orders.plan(options)).not.toEqual(orders.plan({ ...options, seed: 8 }));
    const events = orders.plan(options).flatMap((stream) => stream.events);
    expect(new Set(events.map((one) => one.id)).size).toBe(30);
  });

  it('takes all 329 payloads of GitHub unchanged, one stream per repository', () => {
    const streams = github.plan(options);
    const events = streams.flatMap((stream) => stream.events);
    expect(events).toHaveLength(329);
    expect(streams.map((stream) => stream.streamId)).toContain('counter-x-Codertocat/Hello-World');
    const largest = Math.max(...events.map((one) => Buffer.byteLength(JSON.stringify(one.data))));
    expect(largest).toBeGreaterThan(26_000);
  });
});

describe('what a drill sees of the example, from outside', () => {
  it("knows the inventory's effect in the transaction that carries it", () => {
    const TransactItems = stockWrites(event, 'Inventory', () => 'random').map((write) =>
      Object.fromEntries(
        Object.entries(write).map(([kind, part]) => [
          kind,
          'Item' in part ? { ...part, Item: marshall(part.Item ?? {}) } : part,
        ]),
      ),
    );
    const bodyText = JSON.stringify({ TransactItems });
    expect(inventory.effectOf({ bodyText })).toEqual({ consumer: 'inventory', ...seen });
    expect(inventory.isEffectOf(bodyText, 'placed-x-1-5')).toBe(true);
    expect(inventory.isEffectOf(bodyText, 'placed-x-1-50')).toBe(false);
    expect(inventory.effectOf({ bodyText: '{"TransactItems":[]}' })).toBeUndefined();
  });

  it("knows the notification's effect in the message that it publishes", () => {
    const bodyText = new URLSearchParams({ Action: 'Publish', Message: confirmationOf(event).message }).toString();
    expect(notification.effectOf({ bodyText })).toEqual({ consumer: 'notification', ...seen });
    expect(notification.isEffectOf(bodyText, 'placed-x-1-5')).toBe(true);
    expect(notification.isEffectOf(bodyText, 'placed-x-1-50')).toBe(false);
  });
});

describe('where consumers are killed', () => {
  it('is about the middle of four streams', () => {
    for (const jitter of [0, 0.5, 0.999]) {
      const spots = killSpots([100, 100, 100, 100], jitter);
      expect(spots.map((spot) => spot.stream)).toEqual([0, 1, 2, 3]);
      for (const { index } of spots) expect(Math.abs(index - 49.5)).toBeLessThanOrEqual(3);
    }
  });

  it('is spread over one long stream when there is only one, and nowhere when there is none', () => {
    expect(new Set(killSpots([100, 3, 2], 0).map(({ stream, index }) => `${stream}:${index}`)).size).toBe(4);
    expect(killSpots([5, 5, 5, 5], 0)).toEqual([]);
  });

  it('lies behind the first kill when it comes again', () => {
    expect(secondSpot(50, 100)).toBe(75);
    expect(secondSpot(6, 8)).toBe(7);
  });

  it('has a name and a sentence for each scenario', () => {
    expect(SCENARIOS.map((scenario) => scenario.name)).toEqual(
      expect.arrayContaining([
        'consumer-crash',
        'duplicate-delivery',
        'reordered-delivery',
        'relay-crash',
        'hot-stream',
      ]),
    );
    for (const scenario of SCENARIOS) expect(scenario.summary.length).toBeGreaterThan(20);
  });
});
