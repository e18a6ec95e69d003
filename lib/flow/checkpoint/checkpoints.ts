// The checkpoints over DynamoDB, one implementation for both engines. Costs one write unit for taking the lease and one
// for each save (two inside a transaction), as long as the item stays below 1 KB.

import { batchGetAll } from '../../platform/dynamodb/batches.ts';
import { acquire } from './acquire.ts';
import { type CheckpointItem, checkpointKey, toCheckpoint } from './item.ts';
import type { Checkpoints } from './port.ts';
import { withRetries } from './refusal.ts';
import { requestRewind, rewindWrite, unparkWrite } from './rewind.ts';
import { save } from './save.ts';
import type { CheckpointTable } from './table.ts';

/** 12 digits: text order is number order, and the item stays small. */
const padded = (number: number): string => String(number).padStart(12, '0');

/** @example const checkpoints = createCheckpoints({ dynamo, table: environment.CHECKPOINTS_TABLE, world }); */
export function createCheckpoints(table: CheckpointTable): Checkpoints {
  let saves = 0;
  return {
    get: async (key) => {
      const { Item } = await withRetries(table.world, () =>
        table.dynamo.get({ TableName: table.table, Key: checkpointKey(key), ConsistentRead: true }),
      );
      return Item && toCheckpoint(Item as CheckpointItem);
    },
    getMany: async (keys) => {
      // BatchGetItem refuses a key that is there twice.
      const distinct = [...new Map(keys.map(checkpointKey).map((key) => [key.pk, key])).values()];
      const items = await withRetries(table.world, () =>
        batchGetAll<CheckpointItem & Record<string, unknown>>(table.dynamo, table.table, distinct, {
          timers: table.world.timers,
          random: table.world.random,
          ConsistentRead: true,
        }),
      );
      return items.map(toCheckpoint);
    },
    acquire: (input) => acquire(table, input),
    save: ({ owner, token, ...key }, change, { now, alongside = [] }) => {
      // The token grows with each acquisition of this item, the count with each save of this process.
      saves += 1;
      const nonce = `${padded(token)}.${padded(saves)}`;
      return save(table, { key, proof: { owner, token, nonce }, change, now, alongside });
    },
    requestRewind: (key, request) => requestRewind(table, key, request),
    rewindWrite: (key, request) => rewindWrite(table, key, request),
    unparkWrite: (key, deadLetterId, now, decision = 'retry') => unparkWrite(table, key, deadLetterId, now, decision),
  };
}
