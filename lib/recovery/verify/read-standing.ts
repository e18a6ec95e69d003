// Where streams stand: the version in the directory, and the checkpoint of each consumer; of many streams in few requests.

import type { Dynamo } from '../../platform/dynamodb/port.ts';
import { getItems } from './read.ts';
import { type CheckpointRead, checkpointKey, type RegisteredFacts, toCheckpoint } from './read-facts.ts';

interface StandingDeps {
  dynamo: Dynamo;
  tables: { log: string; checkpoints: string };
}

export interface Standing {
  /** 0 when the directory does not know the stream. */
  directory: number;
  /** By consumer. */
  checkpoints: ReadonlyMap<string, CheckpointRead>;
  /** The same before and after a look: nothing of the stream moved while it was looked at. */
  mark: string;
}

export const DRILL_STREAM_PREFIX = 'drill-';

export const consumersOf = (consumers: readonly RegisteredFacts[], streamId: string): RegisteredFacts[] =>
  consumers.filter(({ drill }) => drill === streamId.startsWith(DRILL_STREAM_PREFIX));

/** Version of each stream in the directory, 0 when it is not there. */
export async function readDirectory(
  { dynamo, tables }: StandingDeps,
  streamIds: readonly string[],
): Promise<Map<string, number>> {
  const versions = new Map(streamIds.map((streamId) => [streamId, 0]));
  const keys = [...versions.keys()].map((streamId) => ({ pk: `stream#${streamId}`, sk: 'head' }));
  for (const { pk, version } of await getItems(dynamo, tables.log, keys))
    versions.set(String(pk).slice('stream#'.length), Number(version));
  return versions;
}

/** Checkpoints before the directory, so that a checkpoint is never ahead of what is known of its stream. */
export async function readStanding(
  deps: StandingDeps,
  consumers: readonly RegisteredFacts[],
  streamIds: readonly string[],
): Promise<Map<string, Standing>> {
  const keys = streamIds.flatMap((streamId) =>
    consumersOf(consumers, streamId).map(({ name }) => checkpointKey(name, streamId)),
  );
  const items = await getItems(deps.dynamo, deps.tables.checkpoints, keys);
  const read = new Map(items.map((item) => [String(item.pk), toCheckpoint(item)]));
  const directory = await readDirectory(deps, streamIds);
  return new Map(
    streamIds.map((streamId): [string, Standing] => {
      const checkpoints = new Map<string, CheckpointRead>();
      for (const { name } of consumersOf(consumers, streamId)) {
        const checkpoint = read.get(checkpointKey(name, streamId).pk);
        if (checkpoint !== undefined) checkpoints.set(name, checkpoint);
      }
      const version = directory.get(streamId) ?? 0;
      const mark = [version, ...[...checkpoints].map(([name, { mark }]) => `${name}:${mark}`)].join(' ');
      return [streamId, { directory: version, checkpoints, mark }];
    }),
  );
}
