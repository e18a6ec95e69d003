// Incidents in the Log table: damage that somebody met while doing something else. One item per (stream, version, kind):
// recording is idempotent, keeps the first time while it is open, and opens a repaired one again.

import type { World } from '../../platform/clock.ts';
import { isConditionFailed } from '../../platform/dynamodb/failures.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import { INCIDENT_PARTITION, incidentKey } from '../log/keys.ts';
import { withRetries } from '../log/retry.ts';
import type { Incident, Incidents } from './port.ts';

/** Version of the item's layout. Version N reads N-1. */
export const INCIDENT_FORMAT = 1;
/** `open()` sorts by time in memory, at most this many at once (about 300 bytes each). */
export const INCIDENTS_SORTED_TOGETHER = 10_000;

export interface IncidentsTable {
  dynamo: Dynamo;
  logTable: string;
  world: Pick<World, 'timers' | 'random'>;
}

/** @example await incidents.record({ kind: 'missing-commit', streamId, version, detail, foundBy: 'relay', foundAt }); */
export function createIncidents({ dynamo, logTable, world }: IncidentsTable): Incidents {
  async function* read(input: { prefix?: string; streamId?: string }): AsyncGenerator<Incident> {
    const inPartition = '#pk = :pk';
    const ofPrefix = 'begins_with(#sk, :prefix)';
    const isOpen = '#status = :open';
    const isOfStream = '#streamId = :streamId';
    let from: Record<string, unknown> | undefined;
    do {
      const ExclusiveStartKey = from;
      const page = await withRetries(world, () =>
        dynamo.query({
          TableName: logTable,
          KeyConditionExpression: input.prefix === undefined ? inPartition : `${inPartition} AND ${ofPrefix}`,
          FilterExpression: input.streamId === undefined ? isOpen : `${isOpen} AND ${isOfStream}`,
          ExpressionAttributeNames: {
            '#pk': 'pk',
            '#status': 'status',
            ...(input.prefix === undefined ? {} : { '#sk': 'sk' }),
            ...(input.streamId === undefined ? {} : { '#streamId': 'streamId' }),
          },
          ExpressionAttributeValues: {
            ':pk': INCIDENT_PARTITION,
            ':open': 'open',
            ...(input.prefix === undefined ? {} : { ':prefix': input.prefix }),
            ...(input.streamId === undefined ? {} : { ':streamId': input.streamId }),
          },
          ConsistentRead: true,
          ...(ExclusiveStartKey === undefined ? {} : { ExclusiveStartKey }),
        }),
      );
      for (const item of page.Items ?? []) yield incidentOf(item);
      from = page.LastEvaluatedKey;
    } while (from !== undefined);
  }

  return {
    async record(incident) {
      const isNew = 'attribute_not_exists(#pk)';
      const wasRepaired = '#status = :repaired';
      await unlessRefused(() =>
        dynamo.put({
          TableName: logTable,
          Item: { ...incidentKey(incident), ...incident, status: 'open', format: INCIDENT_FORMAT },
          ConditionExpression: `${isNew} OR ${wasRepaired}`,
          ExpressionAttributeNames: { '#pk': 'pk', '#status': 'status' },
          ExpressionAttributeValues: { ':repaired': 'repaired' },
        }),
      );
    },

    async *open() {
      let together: Incident[] = [];
      for await (const incident of read({})) {
        together.push(incident);
        if (together.length < INCIDENTS_SORTED_TOGETHER) continue;
        yield* oldestFirst(together);
        together = [];
      }
      yield* oldestFirst(together);
    },

    async isDamaged(streamId) {
      // `a#` is also the prefix of stream `a#b`: the filter on the whole id decides.
      for await (const _ of read({ prefix: `${streamId}#`, streamId })) return true;
      return false;
    },

    async close(incident, repairedAt) {
      const isOpen = '#status = :open';
      await unlessRefused(() =>
        dynamo.update({
          TableName: logTable,
          Key: { ...incidentKey(incident) },
          UpdateExpression: 'SET #status = :repaired, #repairedAt = :repairedAt',
          ConditionExpression: isOpen,
          ExpressionAttributeNames: { '#status': 'status', '#repairedAt': 'repairedAt' },
          ExpressionAttributeValues: { ':repaired': 'repaired', ':repairedAt': repairedAt, ':open': 'open' },
        }),
      );
    },
  };

  /** A refused condition means that it already is as it should be. */
  async function unlessRefused(write: () => Promise<unknown>): Promise<void> {
    try {
      await withRetries(world, write);
    } catch (error) {
      if (!isConditionFailed(error)) throw error;
    }
  }
}

const oldestFirst = (incidents: Incident[]): Incident[] => incidents.sort((a, b) => a.foundAt - b.foundAt);

const incidentOf = (item: Record<string, unknown>): Incident => ({
  kind: item.kind as Incident['kind'],
  streamId: item.streamId as string,
  version: item.version as number,
  detail: item.detail as string,
  foundBy: item.foundBy as string,
  foundAt: item.foundAt as number,
  status: item.status as Incident['status'],
});
