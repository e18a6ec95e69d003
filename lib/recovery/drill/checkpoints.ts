// Reads checkpoints with a plain client, as information beside the verdict: how far consumers say they are, and which
// streams are parked.

import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import type { LedgerEntry } from './ledger.ts';
import type { DrillSystem } from './system.ts';

export interface Progress {
  /** Acknowledged events at or below the checkpoint. */
  resolved: number;
  /** Acknowledged events that wait at or behind a dead letter. */
  parked: number;
}

export async function progressOf(
  system: DrillSystem,
  consumer: string,
  entries: readonly LedgerEntry[],
): Promise<Progress> {
  const dynamodb = new DynamoDBClient(system.clientConfig);
  const progress: Progress = { resolved: 0, parked: 0 };
  for (const [streamId, own] of Map.groupBy(entries, (entry) => entry.streamId)) {
    const { Item } = await dynamodb.send(
      new GetItemCommand({
        TableName: system.outputs.CheckpointsTableName,
        Key: { pk: { S: `${consumer}#${streamId}` }, sk: { S: 'checkpoint' } },
        ConsistentRead: true,
      }),
    );
    const version = Number(Item?.version?.N ?? 0);
    const parkedAt = Item?.parked?.M?.version?.N;
    progress.resolved += own.filter((entry) => entry.version <= version).length;
    if (parkedAt !== undefined) progress.parked += own.filter((entry) => entry.version >= Number(parkedAt)).length;
  }
  dynamodb.destroy();
  return progress;
}
