// The producer: what a web shop calls. It appends facts and knows nothing of consumers. Every call may be repeated after a
// timeout: the event's id comes from the order, so the store recognises the earlier try.

import type { AppendResult, EventStore } from 'event-recovery/runtime';
import { checkOrderLine, counterStream, type OrderLine, orderStream } from './events.ts';

type Appending = Pick<EventStore, 'append'>;

/**
 * An order of the web shop: its own stream, which must not exist yet.
 * @throws EventRecoveryError `EVENT_ID_REUSED` when the order exists with other content
 * @example await placeOrder(eventStore, { orderId: '4711', customerId: 'ada', sku: 'tea', quantity: 2 });
 */
export async function placeOrder(
  eventStore: Appending,
  order: OrderLine,
  options: { correlationId?: string } = {},
): Promise<AppendResult> {
  const data = checkOrderLine(order, 'order');
  const placed = { id: `placed-${order.orderId}`, type: 'OrderPlaced', data: { ...data } };
  return eventStore.append(orderStream(order.orderId), [placed], 'no-stream', options);
}

/** Gives the pieces back. `version` = version of the order's stream that the caller has seen. */
export async function cancelOrder(
  eventStore: Appending,
  order: OrderLine,
  version: number,
  options: { correlationId?: string } = {},
): Promise<AppendResult> {
  const data = checkOrderLine(order, 'order');
  const cancelled = { id: `cancelled-${order.orderId}`, type: 'OrderCancelled', data: { ...data } };
  return eventStore.append(orderStream(order.orderId), [cancelled], version, options);
}

/**
 * Orders rung up at a shop's counter: one stream, one commit for all of them, after `version` (0 for a new counter).
 * @example await placeOrdersAtCounter(eventStore, '7', [first, second], 0);
 */
export async function placeOrdersAtCounter(
  eventStore: Appending,
  counterId: string,
  orders: readonly OrderLine[],
  version: number,
  options: { correlationId?: string } = {},
): Promise<AppendResult> {
  const events = orders.map((order) => ({
    id: `placed-${order.orderId}`,
    type: 'OrderPlaced',
    data: { ...checkOrderLine(order, 'order') },
  }));
  return eventStore.append(counterStream(counterId), events, version, options);
}
