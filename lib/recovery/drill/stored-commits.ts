// The Events table as somebody with too many rights sees it: a drill reads it item by item to prove that a repair touched
// nothing else, and damages it, past everything that would refuse.

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { hashCommit } from '../../flow/event-store/hash.ts';
import type { StoredCommit } from '../../model/commit.ts';
import type { NewEvent } from '../../model/event.ts';
import { createDynamo } from '../../platform/dynamodb/client.ts';
import { scanAll } from '../../platform/dynamodb/pages.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import { digestOf } from '../restore/raw-item.ts';
import type { DrillContext } from './context.ts';
import type { DrillSystem } from './system.ts';

export interface StoredCommits {
  /** Digest of every item, by `stream@version`. */
  digests(): Promise<Map<string, string>>;
  get(streamId: string, version: number): Promise<StoredCommit>;
  flipByte(streamId: string, version: number): Promise<void>;
  remove(streamId: string, version: number): Promise<void>;
  /** A commit with fitting hashes, as a store writes it that does not ask the directory. */
  put(
    after: StoredCommit | undefined,
    streamId: string,
    version: number,
    events: readonly NewEvent[],
  ): Promise<StoredCommit>;
  close(): void;
}

export function openStoredCommits(system: DrillSystem): StoredCommits {
  const client = new DynamoDBClient(system.clientConfig);
  const dynamo: Dynamo = createDynamo(client);
  const TableName = system.outputs.EventsTableName;
  const get = async (streamId: string, version: number): Promise<StoredCommit> => {
    const { Item } = await dynamo.get({ TableName, Key: { streamId, version }, ConsistentRead: true });
    if (Item === undefined) throw new Error(`nothing is stored at ${streamId}@${version}`);
    return Item as StoredCommit;
  };
  return {
    get,
    async digests() {
      const found = new Map<string, string>();
      for await (const item of scanAll(dynamo, { TableName, ConsistentRead: true }))
        found.set(`${item.streamId}@${item.version}`, digestOf(item));
      return found;
    },
    async flipByte(streamId, version) {
      const { events } = await get(streamId, version);
      const bytes = Buffer.from(events);
      const middle = bytes.length >> 1;
      // The lowest bit of a letter: it stays a letter, and the JSON stays JSON.
      const at = bytes.findIndex((byte, index) => index >= middle && /[b-y]/.test(String.fromCharCode(byte)));
      bytes[at] = (bytes[at] as number) ^ 1;
      await dynamo.update({
        TableName,
        Key: { streamId, version },
        UpdateExpression: 'SET #events = :events',
        ExpressionAttributeNames: { '#events': 'events' },
        ExpressionAttributeValues: { ':events': typeof events === 'string' ? bytes.toString() : bytes },
      });
    },
    async remove(streamId, version) {
      await dynamo.delete({ TableName, Key: { streamId, version } });
    },
    async put(after, streamId, version, events) {
      const { format = 1, recordedAt = 0, hash: previousHash = '0'.repeat(64) } = after ?? {};
      const facts = { streamId, version, count: events.length, encoding: 'json', format, recordedAt, previousHash };
      const stored = { ...facts, events: JSON.stringify(events.map(({ id, type, data }) => ({ id, type, data }))) };
      const commit = { ...stored, hash: hashCommit(stored as StoredCommit) } as StoredCommit;
      await dynamo.put({ TableName, Item: { ...commit } });
      return commit;
    },
    close: () => client.destroy(),
  };
}

/** Books a problem for every item that is not as it was, but for those of `except`. */
export function expectUntouched(
  context: Pick<DrillContext, 'problem' | 'fact'>,
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
  except: (key: string) => boolean = () => false,
): void {
  const keys = new Set([...before.keys(), ...after.keys()]);
  const changed = [...keys].filter((key) => before.get(key) !== after.get(key) && !except(key));
  for (const key of changed.slice(0, 5)) context.problem(`${key} is not what it was before the damage`);
  context.fact('itemsCompared', keys.size);
}
