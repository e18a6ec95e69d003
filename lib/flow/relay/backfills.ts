// Who is filling which stream up, so that fifty batches that meet one stream far behind start one chain of continuations
// and not fifty. An aid only: a mark that outlives its chain is ignored after a while, and two chains at once do no harm,
// because every page of the log carries its own conditions.

import type { StreamId, Version } from '../../model/ids.ts';
import type { World } from '../../platform/clock.ts';
import { isConditionFailed } from '../../platform/dynamodb/failures.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import { backfillKey } from '../log/keys.ts';
import { withRetries } from '../log/retry.ts';

/** Version of the item's layout. Version N reads N-1. */
const BACKFILL_FORMAT = 1;
/**
 * How long a mark stands without a word of its chain. A round of 1,000 commits takes seconds; Lambda tries a failed
 * asynchronous invocation again after one and after two minutes (Developer Guide, "Asynchronous invocation").
 */
export const BACKFILL_MARK_MS = 4 * 60_000;

export interface Backfills {
  /** True when a chain is under way that will go at least to `target`. False: nobody is known to be. */
  isUnderWay(streamId: StreamId, target: Version, now: number): Promise<boolean>;
  /** A chain to `target` begins or goes on. Answers how far it should go: somebody may have asked for more. */
  mark(streamId: StreamId, target: Version, now: number): Promise<Version>;
  /** The chain has reached `version`: the mark is removed, unless somebody asked for more. Answers how far to go on. */
  finish(streamId: StreamId, version: Version): Promise<Version | undefined>;
  /** The chain met damage: the mark is removed, whatever was asked for. */
  abandon(streamId: StreamId): Promise<void>;
}

export interface BackfillsTable {
  dynamo: Dynamo;
  logTable: string;
  world: Pick<World, 'timers' | 'random'>;
}

export function createBackfills({ dynamo, logTable, world }: BackfillsTable): Backfills {
  const names = { '#until': 'until', '#target': 'target' };

  return {
    async isUnderWay(streamId, target, now) {
      const standing = '#until >= :now';
      const asksForLess = '#target < :target';
      try {
        await withRetries(world, () =>
          dynamo.update({
            TableName: logTable,
            Key: { ...backfillKey(streamId) },
            UpdateExpression: 'SET #target = :target',
            ConditionExpression: `${standing} AND ${asksForLess}`,
            ExpressionAttributeNames: names,
            ExpressionAttributeValues: { ':now': now, ':target': target },
          }),
        );
        return true;
      } catch (error) {
        if (!isConditionFailed(error)) throw error;
      }
      const mark = await read(streamId);
      return mark !== undefined && mark.until >= now && mark.target >= target;
    },

    async mark(streamId, target, now) {
      const nobodyElse = 'attribute_not_exists(#until)';
      const asksForNoMore = '#target <= :target';
      const isOld = '#until < :now';
      const until = now + BACKFILL_MARK_MS;
      try {
        await withRetries(world, () =>
          dynamo.update({
            TableName: logTable,
            Key: { ...backfillKey(streamId) },
            UpdateExpression: 'SET #target = :target, #until = :until, #format = :format',
            ConditionExpression: `${nobodyElse} OR ${asksForNoMore} OR ${isOld}`,
            ExpressionAttributeNames: { ...names, '#format': 'format' },
            ExpressionAttributeValues: { ':target': target, ':until': until, ':now': now, ':format': BACKFILL_FORMAT },
          }),
        );
        return target;
      } catch (error) {
        if (!isConditionFailed(error)) throw error;
      }
      return prolong(streamId, target, until);
    },

    async finish(streamId, version) {
      const nobodyWantsMore = 'attribute_not_exists(#target) OR #target <= :version';
      try {
        await withRetries(world, () =>
          dynamo.delete({
            TableName: logTable,
            Key: { ...backfillKey(streamId) },
            ConditionExpression: nobodyWantsMore,
            ExpressionAttributeNames: { '#target': 'target' },
            ExpressionAttributeValues: { ':version': version },
          }),
        );
        return undefined;
      } catch (error) {
        if (!isConditionFailed(error)) throw error;
        return (await read(streamId))?.target;
      }
    },

    async abandon(streamId) {
      await withRetries(world, () => dynamo.delete({ TableName: logTable, Key: { ...backfillKey(streamId) } }));
    },
  };

  /** A standing mark asks for more than this chain knew: it stands on, and the chain goes as far. */
  async function prolong(streamId: StreamId, target: Version, until: number): Promise<Version> {
    const stillThere = 'attribute_exists(#target)';
    try {
      const { Attributes } = await withRetries(world, () =>
        dynamo.update({
          TableName: logTable,
          Key: { ...backfillKey(streamId) },
          UpdateExpression: 'SET #until = :until',
          ConditionExpression: stillThere,
          ExpressionAttributeNames: names,
          ExpressionAttributeValues: { ':until': until },
          ReturnValues: 'ALL_NEW',
        }),
      );
      return Attributes?.target as Version;
    } catch (error) {
      if (!isConditionFailed(error)) throw error;
      return target;
    }
  }

  async function read(streamId: StreamId): Promise<{ target: Version; until: number } | undefined> {
    const { Item } = await withRetries(world, () =>
      dynamo.get({ TableName: logTable, Key: { ...backfillKey(streamId) }, ConsistentRead: true }),
    );
    return Item as { target: Version; until: number } | undefined;
  }
}
