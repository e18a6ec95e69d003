// The checkpoints over DynamoDB, one implementation for both engines. Costs one write unit for taking the lease and one
// for each save (two inside a transaction), as long as the item stays below 1 KB.

import type { Checkpoint } from '../../model/checkpoint.ts';
import { EventRecoveryError } from '../../model/errors.ts';
import { acquire } from './acquire.ts';
import { type CheckpointItem, checkpointKey, toCheckpoint } from './item.ts';
import type { CheckpointKey, Checkpoints } from './port.ts';
import { retryDelayMs, withRetries } from './refusal.ts';
import { requestRewind, unparkWrite } from './rewind.ts';
import { save } from './save.ts';
import type { CheckpointTable } from './table.ts';

/** BatchGetItem: at most 100 keys. */
const BATCH_GET_KEYS = 100;
/** Rounds for keys that DynamoDB left unprocessed: with full jitter at most 50 + 100 + ... + 6,400 = 12.8 s of waiting. */
const UNPROCESSED_ROUNDS = 8;

/** @example const checkpoints = createCheckpoints({ dynamo, table: environment.CHECKPOINTS_TABLE, world }); */
export function createCheckpoints(table: CheckpointTable): Checkpoints {
  let saves = 0;
  return {
    get: (key) =>
      withRetries(table.world, async () => {
        const { Item } = await table.dynamo.get({
          TableName: table.table,
          Key: checkpointKey(key),
          ConsistentRead: true,
        });
        return Item && toCheckpoint(Item as CheckpointItem);
      }),
    getMany: async (keys) => {
      const distinct = [...new Map(keys.map((key) => [checkpointKey(key).pk, key])).values()];
      const found: Checkpoint[] = [];
      for (let start = 0; start < distinct.length; start += BATCH_GET_KEYS) {
        found.push(...(await getBatch(table, distinct.slice(start, start + BATCH_GET_KEYS))));
      }
      return found;
    },
    acquire: (input) => acquire(table, input),
    save: ({ owner, token, ...key }, change, { now, alongside = [] }) => {
      // The token is unique per acquisition of this item, the count per save of this process.
      saves += 1;
      return save(table, { key, proof: { owner, token, nonce: `${token}.${saves}` }, change, now, alongside });
    },
    requestRewind: (key, request) => requestRewind(table, key, request),
    unparkWrite: (key, deadLetterId, now, decision = 'retry') => unparkWrite(table, key, deadLetterId, now, decision),
  };
}

async function getBatch(table: CheckpointTable, keys: readonly CheckpointKey[]): Promise<Checkpoint[]> {
  const found: Checkpoint[] = [];
  let open: Record<string, unknown>[] = keys.map(checkpointKey);
  for (let round = 1; open.length > 0; round += 1) {
    const RequestItems = { [table.table]: { Keys: open, ConsistentRead: true } };
    const { Responses, UnprocessedKeys } = await withRetries(table.world, () =>
      table.dynamo.batchGet({ RequestItems }),
    );
    found.push(...((Responses?.[table.table] ?? []) as CheckpointItem[]).map(toCheckpoint));
    open = UnprocessedKeys?.[table.table]?.Keys ?? [];
    if (open.length === 0) break;
    if (round >= UNPROCESSED_ROUNDS) throw unprocessed(open.length);
    await table.world.timers.sleep(retryDelayMs(round, table.world.random.next()));
  }
  return found;
}

const unprocessed = (keys: number): EventRecoveryError =>
  new EventRecoveryError(
    'DYNAMODB_BUSY',
    `checkpoints: ${keys} keys were left unprocessed ${UNPROCESSED_ROUNDS} times; remedy: try again later, or read fewer at once`,
    { retryable: true, facts: { keys, rounds: UNPROCESSED_ROUNDS } },
  );
