// The facts of order fulfilment. Types are declared once, so that a consumer that asks for a misspelt one is refused; data
// is checked when it is read, because what is stored was written by yesterday's code.

import { declareEventTypes, type Event, InvalidInputError } from 'event-recovery/runtime';

export const orderEvents = declareEventTypes(['OrderPlaced', 'OrderCancelled', 'OrderShipped']);

/** Data of `OrderPlaced` and `OrderCancelled`: what stock needs stands in both, so that no consumer must look back. */
export interface OrderLine {
  orderId: string;
  customerId: string;
  /** Stock-keeping unit: the article. */
  sku: string;
  /** Pieces, 1 to 10,000. */
  quantity: number;
}

export const QUANTITY_MAX = 10_000;

/** Each order is a stream of its own. */
export const orderStream = (orderId: string): string => `order-${orderId}`;
/** A shop's counter: its orders are one stream, in the order in which they were rung up. */
export const counterStream = (counterId: string): string => `counter-${counterId}`;

/**
 * What an event says about an order.
 * @throws InvalidInputError `INVALID_ORDER`: the consumer gives up on this event, and its stream waits behind it
 */
export function orderLineOf(event: Pick<Event, 'type' | 'data'>): OrderLine {
  return checkOrderLine(event.data, `data of ${event.type}`);
}

export function checkOrderLine(raw: unknown, what: string): OrderLine {
  const { orderId, customerId, sku, quantity } = (raw ?? {}) as Partial<Record<keyof OrderLine, unknown>>;
  const isName = (value: unknown): value is string => typeof value === 'string' && value.length > 0;
  const isQuantity =
    typeof quantity === 'number' && Number.isInteger(quantity) && quantity >= 1 && quantity <= QUANTITY_MAX;
  if (isName(orderId) && isName(customerId) && isName(sku) && isQuantity) {
    return { orderId, customerId, sku, quantity };
  }
  throw new InvalidInputError('INVALID_ORDER', {
    what,
    got: raw,
    allowed: `orderId, customerId and sku as text, quantity a whole number from 1 to ${QUANTITY_MAX}`,
    remedy: 'correct the producer; discard the event, or teach the consumer to read it and redrive',
  });
}
