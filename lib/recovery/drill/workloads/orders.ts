// Made-up orders: every stream is a shop's counter, every commit one order.

import { seededRandom } from '../random.ts';
import type { Workload } from '../workload.ts';
import { ORDER_CONSUMERS, openOrderEffects } from './order-consumers.ts';

const ARTICLES = ['tea', 'coffee', 'sugar', 'milk', 'cups', 'spoons', 'filters', 'biscuits'];
const MAX_QUANTITY = 5;

export const orders: Workload = {
  name: 'orders',
  consumers: ORDER_CONSUMERS,
  plan({ prefix, streams, events, seed }) {
    const random = seededRandom(seed);
    const used = Math.min(streams, events);
    return Array.from({ length: used }, (_stream, stream) => ({
      streamId: `${prefix}${stream + 1}`,
      // 10 events in 4 streams: 3, 3, 2, 2.
      events: Array.from({ length: Math.ceil((events - stream) / used) }, (_event, event) => {
        const orderId = `${prefix}${stream + 1}-${event + 1}`;
        return {
          id: `placed-${orderId}`,
          type: 'OrderPlaced',
          data: {
            orderId,
            customerId: `customer-${Math.floor(random.next() * 100)}`,
            sku: ARTICLES[Math.floor(random.next() * ARTICLES.length)] ?? 'tea',
            quantity: 1 + Math.floor(random.next() * MAX_QUANTITY),
          },
        };
      }),
    }));
  },
  openEffectLog: openOrderEffects,
};
