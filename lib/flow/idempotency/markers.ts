// Markers over DynamoDB: one conditional write to begin, one to complete. In progress is never read as done; a higher
// fencing token takes over at once; whether a marker has expired is checked here, because TTL deletes late, early or never.

import type { World } from '../../platform/clock.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import { refusalOf, withRetries } from '../checkpoint/refusal.ts';
import type { BeginResult, MarkerKey, Markers } from './port.ts';

export const MARKER_FORMAT = 1;

export interface MarkerTable {
  dynamo: Dynamo;
  table: string;
  world: Pick<World, 'timers' | 'random'>;
}

interface MarkerItem {
  key: string;
  state: 'in-progress' | 'completed';
  token: number;
  /** Seconds since 1970: DynamoDB's TTL takes nothing else. */
  expiresAt: number;
  format: number;
}

const NAMES = { '#key': 'key', '#state': 'state', '#token': 'token', '#expiresAt': 'expiresAt', '#format': 'format' };

const CLAUSES = {
  isAbsent: 'attribute_not_exists(#key)',
  hasExpired: '#expiresAt <= :now',
  isInProgressAtMostAsNew: '(#state = :inProgress AND #token <= :token)',
  isAtMostAsNew: '#token <= :token',
  isOursInProgress: '#state = :inProgress AND #token = :token',
};

const anyOf = (...clauses: readonly string[]): string => clauses.join(' OR ');
const seconds = (ms: number): number => Math.ceil(ms / 1000);

/** A stream id may hold `#`, so it is last. */
export const markerKey = ({ consumer, scope, streamId, version }: MarkerKey): string =>
  `${consumer}#${scope}#${version}#${streamId}`;

/** @example const markers = createMarkers({ dynamo, table: environment.IDEMPOTENCY_TABLE, world }); */
export function createMarkers({ dynamo, table, world }: MarkerTable): Markers {
  const update = (
    key: MarkerKey,
    state: MarkerItem['state'],
    condition: string,
    { token, now, expiresAt }: { token: number; now: number; expiresAt: number },
  ) => ({
    TableName: table,
    Key: { key: markerKey(key) },
    UpdateExpression: 'SET #state = :state, #token = :token, #expiresAt = :expiresAt, #format = :format',
    ConditionExpression: condition,
    ExpressionAttributeNames: NAMES,
    ExpressionAttributeValues: {
      ':state': state,
      ':token': token,
      ':expiresAt': seconds(expiresAt),
      ':format': MARKER_FORMAT,
      ...(condition.includes(':now') && { ':now': Math.floor(now / 1000) }),
      ...(condition.includes(':inProgress') && { ':inProgress': 'in-progress' }),
    },
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
  });
  const mayBegin = anyOf(CLAUSES.isAbsent, CLAUSES.hasExpired, CLAUSES.isInProgressAtMostAsNew);

  return {
    begin: (key, input) =>
      withRetries(world, async (): Promise<BeginResult> => {
        try {
          await dynamo.update(update(key, 'in-progress', mayBegin, input));
          return { kind: 'begun' };
        } catch (error) {
          const refusal = refusalOf(error);
          if (refusal.kind !== 'condition') throw error;
          const found = refusal.item as MarkerItem | undefined;
          if (found?.state === 'completed') return { kind: 'completed' };
          return { kind: 'held-by-higher-token', token: found?.token ?? input.token };
        }
      }),
    complete: (key, input) =>
      withRetries(world, async () => {
        try {
          await dynamo.update(update(key, 'completed', anyOf(CLAUSES.isAbsent, CLAUSES.isAtMostAsNew), input));
          return true;
        } catch (error) {
          if (refusalOf(error).kind !== 'condition') throw error;
          return false;
        }
      }),
    abandon: (key, { token }) =>
      withRetries(world, async () => {
        try {
          await dynamo.delete({
            TableName: table,
            Key: { key: markerKey(key) },
            ConditionExpression: CLAUSES.isOursInProgress,
            ExpressionAttributeNames: { '#state': 'state', '#token': 'token' },
            ExpressionAttributeValues: { ':inProgress': 'in-progress', ':token': token },
          });
        } catch (error) {
          if (refusalOf(error).kind !== 'condition') throw error;
        }
      }),
    completedWrite: (key, input) => ({ Update: update(key, 'completed', mayBegin, input) }),
  };
}
