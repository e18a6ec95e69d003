// Reads of the inventory's own table for the verification: strongly consistent, page by page.

import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { GetCommand, paginateQuery, paginateScan } from '@aws-sdk/lib-dynamodb';
import { movementPartition, type StockMovement, stockKey } from './react.ts';

export interface StockItem {
  pk: string;
  sk: string;
  available: number;
}

/** One of the two: `available` in stock, or the `pieces` of a movement. */
export type SummedItem = Pick<StockItem, 'pk'> &
  Partial<Pick<StockItem, 'available'> & Pick<StockMovement, 'sku' | 'pieces'>>;

export interface StockLedger {
  /** All movements of one stream. */
  movementsOf(streamId: string, signal: AbortSignal): Promise<StockMovement[]>;
  /** Stock and movements, everything, as far as sums need it. */
  items(signal: AbortSignal): AsyncIterable<SummedItem>;
  /** Pieces of one article; 0 when it was never moved. */
  available(sku: string, signal: AbortSignal): Promise<number>;
}

export function createStockLedger(client: DynamoDBDocumentClient, TableName: string): StockLedger {
  return {
    async movementsOf(streamId, abortSignal) {
      const movements: StockMovement[] = [];
      const pages = paginateQuery(
        { client },
        {
          TableName,
          ConsistentRead: true,
          KeyConditionExpression: '#pk = :pk',
          ExpressionAttributeNames: { '#pk': 'pk' },
          ExpressionAttributeValues: { ':pk': movementPartition(streamId) },
        },
        { abortSignal },
      );
      for await (const { Items = [] } of pages) movements.push(...(Items as StockMovement[]));
      return movements;
    },

    async *items(abortSignal) {
      const pages = paginateScan(
        { client },
        {
          TableName,
          ConsistentRead: true,
          ProjectionExpression: '#pk, #available, #sku, #pieces',
          ExpressionAttributeNames: { '#pk': 'pk', '#available': 'available', '#sku': 'sku', '#pieces': 'pieces' },
        },
        { abortSignal },
      );
      for await (const { Items = [] } of pages) yield* Items as SummedItem[];
    },

    async available(sku, abortSignal) {
      const get = new GetCommand({ TableName, Key: stockKey(sku), ConsistentRead: true });
      const { Item } = await client.send(get, { abortSignal });
      return Number(Item?.available ?? 0);
    },
  };
}
