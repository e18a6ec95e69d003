// The order confirmation as a message. Pure: what is sent depends on the event alone, so a repeated send is recognisable.

import type { Event } from 'event-recovery/runtime';
import { orderLineOf } from '../events.ts';

export interface Confirmation {
  subject: string;
  /** JSON. */
  message: string;
  attributes: { eventId: string; orderId: string };
}

/** @throws InvalidInputError `INVALID_ORDER` */
export function confirmationOf(event: Event): Confirmation {
  const { orderId, customerId, sku, quantity } = orderLineOf(event);
  return {
    subject: 'Order confirmation',
    message: JSON.stringify({
      eventId: event.id,
      streamId: event.streamId,
      version: event.metadata.version,
      correlationId: event.metadata.correlationId,
      customerId,
      text: `Thank you for order ${orderId}: ${quantity} x ${sku}.`,
    }),
    attributes: { eventId: event.id, orderId },
  };
}
