// The inventory consumer's function: reads its environment, hands events to `stockWrites`. The writes commit in one
// transaction with the checkpoint, so they happen exactly once, however often the function is killed.

import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { defineConsumer, environmentOf } from 'event-recovery/runtime';
import { orderEvents } from '../events.ts';
import { inventory } from './consumer.ts';
import { createStockLedger } from './ledger.ts';
import { stockWrites } from './react.ts';
import { verifyMovements, verifyStock } from './verify.ts';

const environment = environmentOf(process.env);
const client = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const ledger = () => createStockLedger(client, environment.required('INVENTORY_TABLE'));

export const { declaration, handler } = defineConsumer({
  ...inventory,
  knownEventTypes: orderEvents,
  verify: (stream, context) => verifyMovements(ledger())(stream, context),
  verifyWhole: (context) => verifyStock(ledger())(context),
  react: (event) => stockWrites(event, environment.required('INVENTORY_TABLE'), randomUUID),
});
