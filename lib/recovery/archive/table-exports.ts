// Exports of the Events table through DynamoDB's own API: no read capacity is used, and the files are AWS's format.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport_Requesting.html

import {
  DescribeContinuousBackupsCommand,
  DescribeExportCommand,
  type DynamoDBClient,
  type ExportDescription,
  ExportTableToPointInTimeCommand,
} from '@aws-sdk/client-dynamodb';
import { EventRecoveryError } from '../../model/errors.ts';
import type { TableExports } from './port.ts';

export interface TableExportsOptions {
  client: Pick<DynamoDBClient, 'send'>;
  tableArn: string;
  bucket: string;
  prefix: string;
  /** KMS key of the bucket. @default the bucket's own encryption */
  kmsKeyId?: string;
}

/** Another try with the same request fails the same way. */
const REFUSALS = new Set(['InvalidExportTimeException', 'ExportConflictException', 'ValidationException']);

export function createTableExports(options: TableExportsOptions): TableExports {
  const { client, tableArn, bucket, prefix, kmsKeyId } = options;
  return {
    async start({ kind, from, to, clientToken }) {
      try {
        const { ExportDescription } = await client.send(
          new ExportTableToPointInTimeCommand({
            TableArn: tableArn,
            S3Bucket: bucket,
            S3Prefix: prefix,
            ClientToken: clientToken,
            ExportFormat: 'DYNAMODB_JSON',
            ...(kmsKeyId !== undefined && { S3SseAlgorithm: 'KMS', S3SseKmsKeyId: kmsKeyId }),
            ...(kind === 'full'
              ? { ExportType: 'FULL_EXPORT', ExportTime: new Date(to) }
              : {
                  ExportType: 'INCREMENTAL_EXPORT',
                  IncrementalExportSpecification: {
                    ExportFromTime: new Date(from),
                    ExportToTime: new Date(to),
                    ExportViewType: 'NEW_AND_OLD_IMAGES',
                  },
                }),
          }),
        );
        return ExportDescription?.ExportArn as string;
      } catch (error) {
        const { name, message } = error as Error;
        if (!REFUSALS.has(name)) throw error;
        throw new EventRecoveryError(
          'EXPORT_REFUSED',
          `DynamoDB refused the ${kind} export up to ${new Date(to).toISOString()}: ${name}: ${message}; remedy: the next step tries it again; see the runbook archive-stalled`,
          { facts: { kind, from, to, awsError: name }, cause: error },
        );
      }
    },
    async describe(exportArn) {
      const found = await description(client, exportArn);
      // DynamoDB forgets exports after a time; what it does not know any more will never complete.
      if (found === undefined) return { kind: 'failed', reason: `DynamoDB does not know ${exportArn}` };
      const { ExportStatus, ExportManifest, ItemCount, FailureCode, FailureMessage } = found;
      if (ExportStatus === 'FAILED') return { kind: 'failed', reason: `${FailureCode}: ${FailureMessage}` };
      if (ExportStatus !== 'COMPLETED' || ExportManifest === undefined) return { kind: 'in-progress' };
      return { kind: 'completed', manifestKey: ExportManifest, ...(ItemCount !== undefined && { items: ItemCount }) };
    },
    window: () => continuousBackups(client, tableArn),
  };
}

async function description(
  client: Pick<DynamoDBClient, 'send'>,
  exportArn: string,
): Promise<ExportDescription | undefined> {
  try {
    return (await client.send(new DescribeExportCommand({ ExportArn: exportArn }))).ExportDescription;
  } catch (error) {
    if ((error as Error).name === 'ExportNotFoundException') return undefined;
    throw error;
  }
}

/** What point-in-time recovery covers; undefined when it is off. */
export async function continuousBackups(
  client: Pick<DynamoDBClient, 'send'>,
  table: string,
): Promise<{ earliest: number; latest: number } | undefined> {
  const { ContinuousBackupsDescription } = await client.send(
    new DescribeContinuousBackupsCommand({ TableName: table }),
  );
  const { EarliestRestorableDateTime: earliest, LatestRestorableDateTime: latest } =
    ContinuousBackupsDescription?.PointInTimeRecoveryDescription ?? {};
  if (earliest === undefined || latest === undefined) return undefined;
  return { earliest: earliest.getTime(), latest: latest.getTime() };
}
