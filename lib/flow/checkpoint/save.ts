// Writing under the lease: one UpdateItem, or one TransactWriteItems together with what must commit with it. Applied at
// most once: a retry after a lost response finds its own nonce. Conflicts and throttling are retried with jitter, bounded.

import type { CancelledWrite } from '../../platform/dynamodb/failures.ts';
import type { Write } from '../../platform/dynamodb/port.ts';
import { decideRefusedSave, type LeaseProof, saveUpdate } from './decide-save.ts';
import { type CheckpointItem, checkpointKey } from './item.ts';
import type { CheckpointChange, CheckpointKey, SaveResult } from './port.ts';
import { refusalOf, withRetries } from './refusal.ts';
import { type CheckpointTable, conditionalUpdate, updateRequest } from './table.ts';

export interface SaveInput {
  key: CheckpointKey;
  proof: LeaseProof;
  change: CheckpointChange;
  now: number;
  alongside: readonly Write[];
}

export async function save(table: CheckpointTable, input: SaveInput): Promise<SaveResult> {
  const { key, proof, change, now, alongside } = input;
  const update = saveUpdate(change, proof, now);
  if (alongside.length === 0) {
    const result = await conditionalUpdate(table, key, update);
    return result.kind === 'updated' ? { kind: 'saved' } : decideRefusedSave(result.item, proof);
  }
  const TransactItems: Write[] = [{ Update: updateRequest(table.table, key, update) }, ...alongside];
  return withRetries(table.world, async (tries): Promise<SaveResult> => {
    try {
      await table.dynamo.transactWrite({ TransactItems });
      return { kind: 'saved' };
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal.kind === 'final') return { kind: 'rejected', code: refusal.code, message: refusal.message };
      if (refusal.kind !== 'cancelled') throw error;
      return decideCancelled(table, input, refusal.writes, tries > 1);
    }
  });
}

async function decideCancelled(
  table: CheckpointTable,
  { key, proof }: SaveInput,
  refused: readonly CancelledWrite[],
  triedBefore: boolean,
): Promise<SaveResult> {
  const ours = refused.find(({ index }) => index === 0);
  if (ours?.kind === 'refused') return decideRefusedSave(ours.item as CheckpointItem | undefined, proof);
  // DynamoDB does not promise to name every failed condition: after a lost response, ours may have failed unnamed.
  if (triedBefore && (await wasSaved(table, key, proof))) return { kind: 'saved' };
  if (ours?.kind === 'invalid') return { kind: 'rejected', code: ours.code, message: ours.message };
  const reasons = refused.filter(({ kind }) => kind !== 'retryable');
  return {
    kind: 'cancelled',
    reasons: reasons.map(({ index, code, message }) => ({ index: index - 1, code, message })),
  };
}

const wasSaved = (table: CheckpointTable, key: CheckpointKey, { nonce }: LeaseProof): Promise<boolean> =>
  withRetries(table.world, async () => {
    const { Item } = await table.dynamo.get({
      TableName: table.table,
      Key: checkpointKey(key),
      ConsistentRead: true,
    });
    return (Item as CheckpointItem | undefined)?.saved === nonce;
  });
