// Only side tables of this deployment are read or dropped: by their name, and by what DynamoDB says they were restored from.

import {
  DeleteTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  RestoreTableToPointInTimeCommand,
} from '@aws-sdk/client-dynamodb';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { createPointInTime, sideTableName } from '../../../lib/recovery/restore/point-in-time.ts';

const sdk = mockClient(DynamoDBClient);
const pointInTime = createPointInTime({
  client: new DynamoDBClient({ region: 'eu-central-1' }),
  eventsTable: 'Events',
});
const SIDE = sideTableName('Events', 'r-1');
const named = (name: string) => Object.assign(new Error('no'), { name });
const restored = (more: object = {}, source = 'arn:aws:dynamodb:eu-central-1:1:table/Events') => ({
  Table: {
    TableStatus: 'ACTIVE' as const,
    RestoreSummary: { SourceTableArn: source, RestoreDateTime: new Date(0), RestoreInProgress: false },
    ...more,
  },
});

beforeEach(() => void sdk.reset());

describe('a side table', () => {
  it.each([
    ['ready', restored()],
    ['creating', restored({ TableStatus: 'CREATING' })],
    ['deleting', restored({ TableStatus: 'DELETING' })],
    [
      'creating',
      restored({
        RestoreSummary: {
          SourceTableArn: 'arn:aws:dynamodb:eu-central-1:1:table/Events',
          RestoreDateTime: new Date(0),
          RestoreInProgress: true,
        },
      }),
    ],
  ])('is %s', async (state, answer) => {
    sdk.on(DescribeTableCommand).resolves(answer);
    expect(await pointInTime.state(SIDE)).toBe(state);
  });

  it('is absent, and dropping it does nothing', async () => {
    sdk.on(DescribeTableCommand).rejects(named('ResourceNotFoundException'));
    expect(await pointInTime.state(SIDE)).toBe('absent');
    await pointInTime.drop(SIDE);
    expect(sdk.commandCalls(DeleteTableCommand)).toEqual([]);
  });

  it.each([
    ['the Events table itself', 'Events', restored()],
    ['a table with another name', 'Events-copy', restored()],
    ['a table that was restored from another one', SIDE, restored({}, 'arn:aws:dynamodb:eu-central-1:1:table/Orders')],
    ['a table that was not restored', SIDE, { Table: { TableStatus: 'ACTIVE' as const } }],
  ])('is never %s: it is neither read nor dropped', async (_what, name, answer) => {
    sdk.on(DescribeTableCommand).resolves(answer);
    await expect(pointInTime.drop(name)).rejects.toMatchObject({ code: 'NOT_A_SIDE_TABLE' });
    await expect(pointInTime.state(name)).rejects.toMatchObject({ code: 'NOT_A_SIDE_TABLE' });
    expect(sdk.commandCalls(DeleteTableCommand)).toEqual([]);
  });

  it.each([
    ['InvalidRestoreTimeException', 'RESTORE_TIME_OUTSIDE_WINDOW'],
    ['PointInTimeRecoveryUnavailableException', 'POINT_IN_TIME_RECOVERY_OFF'],
    ['AccessDeniedException', 'RESTORE_NOT_ALLOWED'],
  ])('cannot be made when DynamoDB answers %s: that is %s, and no try helps', async (name, code) => {
    sdk.on(RestoreTableToPointInTimeCommand).rejects(named(name));
    await expect(pointInTime.restore(SIDE, 5_000)).rejects.toMatchObject({ code, retryable: false });
  });

  it('may be made later when DynamoDB has too much to do: that error stays as it is', async () => {
    sdk.on(RestoreTableToPointInTimeCommand).rejects(named('LimitExceededException'));
    await expect(pointInTime.restore(SIDE, 5_000)).rejects.toMatchObject({ name: 'LimitExceededException' });
  });

  it('is made once: that it exists already, or is being made, is no error', async () => {
    sdk.on(RestoreTableToPointInTimeCommand).rejects(named('TableAlreadyExistsException'));
    await pointInTime.restore(SIDE, 5_000);
    const { input } = sdk.commandCalls(RestoreTableToPointInTimeCommand)[0]?.args[0] ?? {};
    expect(input).toMatchObject({ SourceTableName: 'Events', TargetTableName: SIDE, RestoreDateTime: new Date(5_000) });
    sdk.on(RestoreTableToPointInTimeCommand).rejects(named('TableInUseException'));
    await pointInTime.restore(SIDE, 5_000);
  });
});
