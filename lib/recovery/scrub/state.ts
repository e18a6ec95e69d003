// Where the patrol stands. Each write names the revision that it was made from, so that a late or doubled scrub cannot
// overwrite what another one has done; whoever is refused ends.

import { withRetries } from '../../flow/log/retry.ts';
import { EventRecoveryError } from '../../model/errors.ts';
import type { World } from '../../platform/clock.ts';
import { isConditionFailed } from '../../platform/dynamodb/failures.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import type { Chain } from './chain.ts';
import type { Item } from './item.ts';
import type { PageCarry } from './patrol-log.ts';

const FORMAT = 1;

/** What a rotation has done so far. */
export interface ScrubCounts {
  /** Items of the Events table. */
  items: number;
  streams: number;
  /** Pages of the log, and directory items. */
  pages: number;
  heads: number;
  /** Read units. */
  units: number;
  /** Damages met; the same one may be met by both patrols. */
  damages: number;
}

export interface ScrubState {
  /** 0: nothing was ever written. */
  revision: number;
  /** Rotations that were begun. */
  rotation: number;
  startedAt: number;
  /** Between two rotations it is idle. */
  pass: 'events' | 'log' | 'idle';
  passStartedAt: number;
  /** Where the scan goes on; absent: at the beginning. */
  from?: Item;
  chain?: Chain;
  page?: PageCarry;
  counts: ScrubCounts;
  /** The rotation that was finished last. */
  last?: { startedAt: number; endedAt: number; counts: ScrubCounts };
}

export const NO_COUNTS: ScrubCounts = { items: 0, streams: 0, pages: 0, heads: 0, units: 0, damages: 0 };
export const NEW_STATE: ScrubState = {
  revision: 0,
  rotation: 0,
  startedAt: 0,
  pass: 'idle',
  passStartedAt: 0,
  counts: NO_COUNTS,
};

export interface ScrubStates {
  read(): Promise<ScrubState>;
  /** @throws EventRecoveryError `SCRUB_OVERTAKEN` (retryable) when another scrub has written since */
  write(state: ScrubState): Promise<ScrubState>;
}

export function createScrubStates({
  dynamo,
  table,
  world,
}: {
  dynamo: Dynamo;
  table: string;
  world: Pick<World, 'timers' | 'random'>;
}): ScrubStates {
  const key = { pk: 'scrub', sk: 'state' };
  return {
    async read() {
      const { Item } = await withRetries(world, () =>
        dynamo.get({ TableName: table, Key: { ...key }, ConsistentRead: true }),
      );
      return Item === undefined ? NEW_STATE : (Item.state as ScrubState);
    },
    async write(state) {
      const next = { ...state, revision: state.revision + 1 };
      const isFirst = 'attribute_not_exists(pk)';
      const isUnchanged = '#revision = :seen';
      try {
        await withRetries(world, () =>
          dynamo.put({
            TableName: table,
            Item: { ...key, revision: next.revision, state: next, format: FORMAT },
            ConditionExpression: state.revision === 0 ? isFirst : isUnchanged,
            ...(state.revision > 0 && {
              ExpressionAttributeNames: { '#revision': 'revision' },
              ExpressionAttributeValues: { ':seen': state.revision },
            }),
          }),
        );
        return next;
      } catch (error) {
        if (!isConditionFailed(error)) throw error;
        throw new EventRecoveryError(
          'SCRUB_OVERTAKEN',
          `scrub: got revision ${state.revision}, but another scrub has gone on since; nothing is lost; remedy: none, the next scheduled scrub goes on`,
          { retryable: true, facts: { revision: state.revision }, cause: error },
        );
      }
    },
  };
}
