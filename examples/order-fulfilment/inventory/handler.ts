// The inventory consumer's function: reads its environment, hands events to `stockWrites`. The writes commit in one
// transaction with the checkpoint, so they happen exactly once, however often the function is killed.

import { randomUUID } from 'node:crypto';
import { defineConsumer, environmentOf } from 'event-recovery/runtime';
import { orderEvents } from '../events.ts';
import { inventory } from './consumer.ts';
import { stockWrites } from './react.ts';

const environment = environmentOf(process.env);

export const { declaration, handler } = defineConsumer({
  ...inventory,
  knownEventTypes: orderEvents,
  react: (event) => stockWrites(event, environment.required('INVENTORY_TABLE'), randomUUID),
});
