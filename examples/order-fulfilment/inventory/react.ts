// Stock follows orders. For each event two writes: the stock of the article, and a row in a ledger of movements. The row
// has a random key ON PURPOSE: it deduplicates nothing, so counting the ledger shows every effect that was applied twice. It
// stands under its event's stream, so that the verification finds the rows of a stream.
// Stock may become negative: that an order was placed is a fact, and what is missing has to be bought.

import { type Event, InvalidInputError, type Write } from 'event-recovery/runtime';
import { orderLineOf } from '../events.ts';

export const stockKey = (sku: string) => ({ pk: `stock#${sku}`, sk: 'stock' });
export const MOVEMENT_PREFIX = 'movement#';
export const movementPartition = (streamId: string): string => `${MOVEMENT_PREFIX}${streamId}`;

const VERSION_DIGITS = 16;

/** One row of the ledger. */
export interface StockMovement {
  pk: string;
  /** Version, in digits that sort, and a random id. */
  sk: string;
  sku: string;
  orderId: string;
  /** Pieces: negative when they leave. */
  pieces: number;
  streamId: string;
  version: number;
  eventId: string;
}

/**
 * @param randomId a new id per call
 * @throws InvalidInputError `INVALID_ORDER`, `UNKNOWN_EVENT_TYPE`
 */
export function stockWrites(event: Event, inventoryTable: string, randomId: () => string): Write[] {
  const facts = movementOf(event);
  const movement: StockMovement = {
    pk: movementPartition(event.streamId),
    sk: `${String(facts.version).padStart(VERSION_DIGITS, '0')}#${randomId()}`,
    ...facts,
  };
  return [
    {
      Update: {
        TableName: inventoryTable,
        Key: stockKey(facts.sku),
        UpdateExpression: 'ADD #available :pieces',
        ExpressionAttributeNames: { '#available': 'available' },
        ExpressionAttributeValues: { ':pieces': facts.pieces },
      },
    },
    { Put: { TableName: inventoryTable, Item: movement } },
  ];
}

/** What an event moves. @throws InvalidInputError `INVALID_ORDER`, `UNKNOWN_EVENT_TYPE` */
export function movementOf(event: Event): Omit<StockMovement, 'pk' | 'sk'> {
  const { sku, orderId, quantity } = orderLineOf(event);
  return {
    sku,
    orderId,
    pieces: piecesOf(event.type, quantity),
    streamId: event.streamId,
    version: event.metadata.version,
    eventId: event.id,
  };
}

function piecesOf(type: string, quantity: number): number {
  if (type === 'OrderPlaced') return -quantity;
  if (type === 'OrderCancelled') return quantity;
  throw new InvalidInputError('UNKNOWN_EVENT_TYPE', {
    what: 'event type',
    got: type,
    allowed: 'OrderPlaced or OrderCancelled',
    remedy: 'teach the inventory what this event means for stock, or remove it from its eventTypes',
  });
}
