// Snapshots over the Dynamo port, in a table of their own. Reads are eventually consistent: an old snapshot only costs a few
// more events. Writes are conditional, so that a slow writer never replaces a later snapshot.

import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { World } from '../../platform/clock.ts';
import { createDynamo } from '../../platform/dynamodb/client.ts';
import { isConditionFailed } from '../../platform/dynamodb/failures.ts';
import { queryAll } from '../../platform/dynamodb/pages.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import { withRetries } from '../../platform/dynamodb/with-retries.ts';
import { createWorld } from '../../platform/world.ts';
import { decodeSnapshot, encodeSnapshot, SNAPSHOT_MAX_BYTES, sortKeyOf } from './coding.ts';
import type { SeenSnapshot, Snapshots } from './port.ts';

export interface SnapshotsOptions {
  /** Either a client of the AWS SDK... */
  client?: DynamoDBClient;
  /** ...or an engine, for example `createMemoryDynamo(...)`. */
  dynamo?: Dynamo;
  /** Stack output `SnapshotsTableName`. */
  snapshotsTable: string;
  /** @default the machine's timers and random numbers */
  world?: Pick<World, 'timers' | 'random'>;
}

/** @example const snapshots = createSnapshots({ client: new DynamoDBClient(), snapshotsTable: 'Snapshots' }); */
export function createSnapshots(options: SnapshotsOptions): Snapshots {
  const { snapshotsTable: TableName, world = createWorld() } = options;
  const dynamo = withRetries(engineOf(options), world);

  return {
    async read(key) {
      const { streamId } = key;
      const { Item } = await dynamo.get({ TableName, Key: { streamId, name: sortKeyOf(key) } });
      return decodeSnapshot(Item, key);
    },

    async write(snapshot, replacing) {
      const { item, itemBytes } = encodeSnapshot(snapshot);
      if (itemBytes > SNAPSHOT_MAX_BYTES) return { kind: 'too-large', itemBytes };
      const isNew = 'attribute_not_exists(#streamId)';
      const isOlder = '#version < :version';
      const isReplaced = replacing && isExactly(replacing);
      try {
        await dynamo.put({
          TableName,
          Item: { ...item },
          ConditionExpression: [isNew, isOlder, ...(isReplaced ? [isReplaced.condition] : [])].join(' OR '),
          ExpressionAttributeNames: { '#streamId': 'streamId', '#version': 'version', ...isReplaced?.names },
          ExpressionAttributeValues: { ':version': item.version, ...isReplaced?.values },
        });
        return { kind: 'stored', itemBytes };
      } catch (error) {
        if (!isConditionFailed(error)) throw error;
        return { kind: 'not-newer' };
      }
    },

    async remove(streamId) {
      let removed = 0;
      const all = queryAll(dynamo, {
        TableName,
        KeyConditionExpression: '#streamId = :streamId',
        ProjectionExpression: '#streamId, #name',
        ExpressionAttributeNames: { '#streamId': 'streamId', '#name': 'name' },
        ExpressionAttributeValues: { ':streamId': streamId },
        ConsistentRead: true,
      });
      for await (const { name } of all) {
        // Whatever is there: a snapshot can be made again at any time.
        await dynamo.delete({ TableName, Key: { streamId, name } });
        removed += 1;
      }
      return removed;
    },
  };
}

/** The very item that was seen, whatever it is. */
function isExactly({ version, checksum }: SeenSnapshot) {
  const clause = (name: string, value: unknown) =>
    value === undefined ? `attribute_not_exists(#${name})` : `#${name} = :seen_${name}`;
  return {
    condition: `(${clause('version', version)} AND ${clause('checksum', checksum)})`,
    names: { '#checksum': 'checksum' },
    values: {
      ...(version !== undefined && { ':seen_version': version }),
      ...(checksum !== undefined && { ':seen_checksum': checksum }),
    },
  };
}

function engineOf({ client, dynamo }: SnapshotsOptions): Dynamo {
  if (dynamo !== undefined) return dynamo;
  if (client !== undefined) return createDynamo(client);
  throw new TypeError('createSnapshots: got neither client nor dynamo; pass a DynamoDBClient as client');
}
