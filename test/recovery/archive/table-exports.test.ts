// What is asked of DynamoDB, and what its answers mean.

import {
  DescribeContinuousBackupsCommand,
  DescribeExportCommand,
  DynamoDBClient,
  ExportTableToPointInTimeCommand,
} from '@aws-sdk/client-dynamodb';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { createTableExports } from '../../../lib/recovery/archive/table-exports.ts';

const sdk = mockClient(DynamoDBClient);
const exports = createTableExports({
  client: new DynamoDBClient({ region: 'eu-central-1' }),
  tableArn: 'arn:table',
  bucket: 'bucket',
  prefix: 'archive',
});
const order = { from: 1_000, to: 901_000, clientToken: 'token' };
const named = (name: string) => Object.assign(new Error('no'), { name });

beforeEach(() => void sdk.reset());

describe('exports of the table', () => {
  it('ask for both images of what changed, from the given second to the given second', async () => {
    sdk.on(ExportTableToPointInTimeCommand).resolves({ ExportDescription: { ExportArn: 'arn:export' } });
    expect(await exports.start({ kind: 'incremental', ...order })).toBe('arn:export');
    expect(sdk.commandCalls(ExportTableToPointInTimeCommand)[0]?.args[0].input).toEqual({
      TableArn: 'arn:table',
      S3Bucket: 'bucket',
      S3Prefix: 'archive',
      ClientToken: 'token',
      ExportFormat: 'DYNAMODB_JSON',
      ExportType: 'INCREMENTAL_EXPORT',
      IncrementalExportSpecification: {
        ExportFromTime: new Date(1_000),
        ExportToTime: new Date(901_000),
        ExportViewType: 'NEW_AND_OLD_IMAGES',
      },
    });
  });

  it('ask for the state at the end of a full one', async () => {
    sdk.on(ExportTableToPointInTimeCommand).resolves({ ExportDescription: { ExportArn: 'arn:export' } });
    await exports.start({ kind: 'full', ...order });
    const { input } = sdk.commandCalls(ExportTableToPointInTimeCommand)[0]?.args[0] ?? {};
    expect(input).toMatchObject({ ExportType: 'FULL_EXPORT', ExportTime: new Date(901_000) });
  });

  it.each([
    ['InvalidExportTimeException', { code: 'EXPORT_REFUSED', retryable: false }],
    ['ExportConflictException', { code: 'EXPORT_REFUSED', retryable: false }],
    ['LimitExceededException', { name: 'LimitExceededException' }],
  ])('when DynamoDB says %s', async (name, expected) => {
    sdk.on(ExportTableToPointInTimeCommand).rejects(named(name));
    await expect(exports.start({ kind: 'full', ...order })).rejects.toMatchObject(expected);
  });

  it.each([
    [{ ExportStatus: 'IN_PROGRESS' as const }, { kind: 'in-progress' }],
    [
      { ExportStatus: 'COMPLETED' as const, ExportManifest: 'm', ItemCount: 3 },
      { kind: 'completed', manifestKey: 'm', items: 3 },
    ],
    [
      { ExportStatus: 'FAILED' as const, FailureCode: 'S3', FailureMessage: 'gone' },
      { kind: 'failed', reason: 'S3: gone' },
    ],
  ])('are %j', async (ExportDescription, expected) => {
    sdk.on(DescribeExportCommand).resolves({ ExportDescription });
    expect(await exports.describe('arn:export')).toEqual(expected);
  });

  it('that DynamoDB has forgotten have failed', async () => {
    sdk.on(DescribeExportCommand).rejects(named('ExportNotFoundException'));
    expect(await exports.describe('arn:export')).toMatchObject({ kind: 'failed' });
  });

  it('have the window of point-in-time recovery, or none', async () => {
    const dates = { EarliestRestorableDateTime: new Date(1), LatestRestorableDateTime: new Date(2) };
    sdk.on(DescribeContinuousBackupsCommand).resolves({
      ContinuousBackupsDescription: {
        ContinuousBackupsStatus: 'ENABLED',
        PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: 'ENABLED', ...dates },
      },
    });
    expect(await exports.window()).toEqual({ earliest: 1, latest: 2 });
    sdk.on(DescribeContinuousBackupsCommand).resolves({
      ContinuousBackupsDescription: {
        ContinuousBackupsStatus: 'ENABLED',
        PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: 'DISABLED' },
      },
    });
    expect(await exports.window()).toBeUndefined();
  });
});
