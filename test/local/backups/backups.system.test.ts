// Point-in-time restores and exports of the local cloud, as the SDK asks for them: the past comes back, whoever wrote it.

import {
  DeleteItemCommand,
  DeleteTableCommand,
  DescribeContinuousBackupsCommand,
  DescribeExportCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ExportTableToPointInTimeCommand,
  ListExportsCommand,
  PutItemCommand,
  RestoreTableToPointInTimeCommand,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type LocalCloud, startLocalCloud } from '../../../lib/local/local-cloud.ts';
import { waitUntil } from '../../../lib/recovery/drill/wait-until.ts';
import { fixtureAssembly, runFolder } from '../fixture/assembly.ts';

let local: LocalCloud;
let dynamodb: DynamoDBClient;
let s3: S3Client;
let table: string;
/** A second in which the table held `kept` and `removed`. */
let second: number;
const now = () => Math.floor(Date.now() / 1_000);
const ids = async (name: string) =>
  ((await dynamodb.send(new ScanCommand({ TableName: name, ConsistentRead: true }))).Items ?? [])
    .map(({ pk, bytes }) => `${pk?.S}${bytes?.B ? Buffer.from(bytes.B).toString('hex') : ''}`)
    .filter((id) => id.startsWith('drill-'))
    .sort();
const put = (id: string) =>
  dynamodb.send(
    new PutItemCommand({
      TableName: table,
      Item: { pk: { S: `drill-${id}` }, bytes: { B: Buffer.from('ff00', 'hex') } },
    }),
  );
const nextSecond = (after: number) =>
  waitUntil('the next second', async () => (now() > after ? now() : undefined), { pollMs: 20 });

beforeAll(async () => {
  local = await startLocalCloud(Promise.resolve(fixtureAssembly('backups')), { runFolder: runFolder('backups') });
  const client = {
    endpoint: local.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  };
  dynamodb = new DynamoDBClient(client);
  s3 = new S3Client({ ...client, forcePathStyle: true });
  table = local.outputs.TableName as string;
  await put('kept');
  await put('removed');
  // The recorder notes a write at most one poll late: two seconds on, it surely has.
  second = await nextSecond(now() + 1);
  await nextSecond(second);
  await dynamodb.send(new DeleteItemCommand({ TableName: table, Key: { pk: { S: 'drill-removed' } } }));
  await put('later');
});
afterAll(async () => {
  dynamodb?.destroy();
  s3?.destroy();
  await local?.stop();
});

describe('a restore to a point in time', () => {
  it('makes a table with what there was, bytes included, and says where it came from', async () => {
    const TargetTableName = `${table}-restored`;
    const { TableDescription } = await dynamodb.send(
      new RestoreTableToPointInTimeCommand({
        SourceTableName: table,
        TargetTableName,
        RestoreDateTime: new Date(second * 1_000),
      }),
    );
    expect(TableDescription).toMatchObject({ TableStatus: 'CREATING', RestoreSummary: { RestoreInProgress: true } });
    const restored = await waitUntil('the restored table', async () => {
      const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName: TargetTableName }));
      return Table?.TableStatus === 'ACTIVE' ? Table : undefined;
    });
    expect(restored.RestoreSummary?.SourceTableArn).toMatch(new RegExp(`table/${table}$`));
    expect(restored.RestoreSummary?.RestoreDateTime?.getTime()).toBe(second * 1_000);
    expect(await ids(TargetTableName)).toEqual(['drill-keptff00', 'drill-removedff00']);
    expect(await ids(table)).toEqual(['drill-keptff00', 'drill-laterff00']);
    await dynamodb.send(new DeleteTableCommand({ TableName: TargetTableName }));
  });

  it.each([
    [-1_000_000, 'InvalidRestoreTimeException'],
    [1_000_000, 'InvalidRestoreTimeException'],
  ])('refuses a time %d seconds from now', async (offset, name) => {
    const { ContinuousBackupsDescription } = await dynamodb.send(
      new DescribeContinuousBackupsCommand({ TableName: table }),
    );
    const { EarliestRestorableDateTime } = ContinuousBackupsDescription?.PointInTimeRecoveryDescription ?? {};
    expect(EarliestRestorableDateTime?.getTime()).toBeLessThanOrEqual(second * 1_000);
    const RestoreDateTime = new Date((now() + offset) * 1_000);
    const restore = new RestoreTableToPointInTimeCommand({
      SourceTableName: table,
      TargetTableName: `${table}-never`,
      RestoreDateTime,
    });
    await expect(dynamodb.send(restore)).rejects.toMatchObject({ name });
  });

  it('refuses a target that exists', async () => {
    const restore = new RestoreTableToPointInTimeCommand({
      SourceTableName: table,
      TargetTableName: table,
      UseLatestRestorableTime: true,
    });
    await expect(dynamodb.send(restore)).rejects.toMatchObject({ name: 'TableAlreadyExistsException' });
  });
});

describe('an export to S3', () => {
  const order = (more: object = {}) =>
    new ExportTableToPointInTimeCommand({
      TableArn: `arn:aws:dynamodb:us-east-1:000000000000:table/${table}`,
      S3Bucket: local.outputs.FailuresName,
      S3Prefix: 'archive',
      ExportTime: new Date(second * 1_000),
      ClientToken: 'token-1',
      ...more,
    });
  const finished = async (ExportArn: string | undefined) =>
    waitUntil('the export', async () => {
      const { ExportDescription } = await dynamodb.send(new DescribeExportCommand({ ExportArn }));
      return ExportDescription?.ExportStatus === 'IN_PROGRESS' ? undefined : ExportDescription;
    });

  it('is made once for a token, completes, and lies in the bucket', async () => {
    const first = await dynamodb.send(order());
    const again = await dynamodb.send(order());
    expect(again.ExportDescription?.ExportArn).toBe(first.ExportDescription?.ExportArn);
    const done = await finished(first.ExportDescription?.ExportArn);
    expect(done).toMatchObject({ ExportStatus: 'COMPLETED', ExportType: 'FULL_EXPORT' });
    const { Body } = await s3.send(
      new GetObjectCommand({ Bucket: local.outputs.FailuresName, Key: done.ExportManifest }),
    );
    const summary = JSON.parse((await Body?.transformToString()) ?? '');
    expect(summary).toMatchObject({ itemCount: done.ItemCount, exportArn: done.ExportArn });
    const { ExportSummaries } = await dynamodb.send(new ListExportsCommand({}));
    expect(ExportSummaries).toMatchObject([{ ExportArn: done.ExportArn, ExportStatus: 'COMPLETED' }]);
  });

  it('refuses the token of another export, and a span that is too short', async () => {
    await expect(dynamodb.send(order({ S3Prefix: 'other' }))).rejects.toMatchObject({
      name: 'ExportConflictException',
    });
    const short = order({
      ClientToken: 'token-2',
      ExportTime: undefined,
      ExportType: 'INCREMENTAL_EXPORT',
      IncrementalExportSpecification: {
        ExportFromTime: new Date(second * 1_000),
        ExportToTime: new Date((second + 60) * 1_000),
      },
    });
    await expect(dynamodb.send(short)).rejects.toMatchObject({ name: 'ValidationException' });
  });

  it('into a bucket that does not exist fails, and says so', async () => {
    const { ExportDescription } = await dynamodb.send(order({ ClientToken: 'token-3', S3Bucket: 'nowhere' }));
    expect(await finished(ExportDescription?.ExportArn)).toMatchObject({
      ExportStatus: 'FAILED',
      FailureCode: 'S3NoSuchBucket',
    });
  });
});
