// The part of DynamoDB's API that DynamoDB Local has not: point-in-time restores and exports to S3. Every other operation
// is the engine's; tables under restore answer as on AWS, not as the engine, which has them already.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_RestoreTableToPointInTime.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExportTableToPointInTime.html

import { randomUUID } from 'node:crypto';
import type { Backups, TableExport } from '../backups/backups.ts';
import type { ExportSpan } from '../backups/export-files.ts';
import { arn, resourceOfArn } from '../names.ts';
import type { GatewayCall, ServiceHandler } from './gateway.ts';
import { errorReply, jsonReply, type Reply } from './replies.ts';

export interface BackupsServiceOptions {
  backups: Backups;
  tables: ReadonlyMap<string, unknown>;
  now(): number;
}

/** Developer Guide, "Requesting a table export in DynamoDB": an incremental export spans 15 minutes to 24 hours. */
const SPAN_MS = { min: 15 * 60_000, max: 24 * 60 * 60_000 };
const RESTORE_FIELDS = new Set([
  'SourceTableName',
  'SourceTableArn',
  'TargetTableName',
  'RestoreDateTime',
  'UseLatestRestorableTime',
  'BillingModeOverride',
  'SSESpecificationOverride',
]);

type Input = Record<string, unknown>;

/** Undefined: the engine answers. */
export const backupsService =
  (options: BackupsServiceOptions): ServiceHandler =>
  async (call) => {
    const operation = OPERATIONS[call.operation];
    if (operation !== undefined) return operation(JSON.parse(call.bodyText()) as Input, options);
    return underRestore(call, options);
  };

const OPERATIONS: Record<string, (input: Input, options: BackupsServiceOptions) => Reply | Promise<Reply>> = {
  DescribeContinuousBackups: describeContinuousBackups,
  RestoreTableToPointInTime: restoreTable,
  ExportTableToPointInTime: exportTable,
  DescribeExport: (input, { backups }) => {
    const found = backups.exports.find((one) => one.arn === input.ExportArn);
    if (found === undefined) return refused('ExportNotFoundException', `Export not found: ${String(input.ExportArn)}`);
    return jsonReply({ ExportDescription: descriptionOf(found) });
  },
  ListExports: ({ TableArn }, { backups }) =>
    jsonReply({
      ExportSummaries: backups.exports
        .filter((one) => TableArn === undefined || one.tableArn === TableArn)
        .map((one) => ({ ExportArn: one.arn, ExportStatus: one.status, ExportType: one.span.type })),
    }),
};

function describeContinuousBackups({ TableName }: Input, { backups, tables }: BackupsServiceOptions): Reply {
  const name = nameOf(TableName);
  if (!tables.has(name)) return refused('TableNotFoundException', `Table not found: ${name}`);
  const window = backups.window(name);
  return jsonReply({
    ContinuousBackupsDescription: {
      ContinuousBackupsStatus: 'ENABLED',
      PointInTimeRecoveryDescription:
        window === undefined
          ? { PointInTimeRecoveryStatus: 'DISABLED' }
          : {
              PointInTimeRecoveryStatus: 'ENABLED',
              RecoveryPeriodInDays: 35,
              EarliestRestorableDateTime: window.earliestMs / 1_000,
              LatestRestorableDateTime: window.latestMs / 1_000,
            },
    },
  });
}

async function restoreTable(input: Input, { backups, tables }: BackupsServiceOptions): Promise<Reply> {
  const unknown = Object.keys(input).filter((name) => !RESTORE_FIELDS.has(name));
  if (unknown.length > 0)
    return refused('ValidationException', `the local system does not know ${unknown.join(', ')} of a restore`);
  const source = nameOf(input.SourceTableName ?? input.SourceTableArn);
  const target = String(input.TargetTableName);
  if (!tables.has(source)) return refused('TableNotFoundException', `Table not found: ${source}`);
  const window = backups.window(source);
  if (window === undefined) return noHistory(source);
  const toMs = input.UseLatestRestorableTime === true ? window.latestMs : Number(input.RestoreDateTime) * 1_000;
  if (!(toMs >= window.earliestMs && toMs <= window.latestMs)) {
    return refused(
      'InvalidRestoreTimeException',
      `${String(input.RestoreDateTime)} is not between ${window.earliestMs / 1_000} and ${window.latestMs / 1_000}`,
    );
  }
  try {
    await backups.restore(source, target, toMs);
  } catch (error) {
    if ((error as Error).name !== 'ResourceInUseException') throw error;
    return refused('TableAlreadyExistsException', `Table already exists: ${target}`);
  }
  return jsonReply({ TableDescription: creating(target, backups) });
}

function exportTable(input: Input, options: BackupsServiceOptions): Reply {
  const { backups, tables } = options;
  const tableName = nameOf(input.TableArn);
  if (!tables.has(tableName)) return refused('TableNotFoundException', `Table not found: ${tableName}`);
  const window = backups.window(tableName);
  if (window === undefined) return noHistory(tableName);
  if ((input.ExportFormat ?? 'DYNAMODB_JSON') !== 'DYNAMODB_JSON')
    return refused('ValidationException', 'the local system exports DYNAMODB_JSON only');
  const request = JSON.stringify({ ...input, ClientToken: undefined });
  const earlier = backups.exports.find((one) => one.clientToken === input.ClientToken);
  if (earlier !== undefined) {
    if (earlier.request === request) return jsonReply({ ExportDescription: descriptionOf(earlier) });
    return refused('ExportConflictException', 'the client token was used for another export');
  }
  const span = spanOf(input, options.now());
  if ('problem' in span) return refused(span.code, span.problem);
  const [from, to] = span.type === 'FULL_EXPORT' ? [span.atMs, span.atMs] : [span.fromMs, span.toMs];
  if (from < window.earliestMs || to > options.now())
    return refused('InvalidExportTimeException', 'the time lies outside of what can be restored');
  const order = backups.export({
    tableName,
    clientToken: String(input.ClientToken ?? randomUUID()),
    request,
    bucket: String(input.S3Bucket),
    ...(input.S3Prefix !== undefined && { prefix: String(input.S3Prefix) }),
    span,
  });
  return jsonReply({ ExportDescription: descriptionOf(order) });
}

function spanOf(input: Input, now: number): ExportSpan | { code: string; problem: string } {
  if (input.ExportType !== 'INCREMENTAL_EXPORT') {
    return { type: 'FULL_EXPORT', atMs: input.ExportTime === undefined ? now : Number(input.ExportTime) * 1_000 };
  }
  const { ExportFromTime, ExportToTime, ExportViewType } = (input.IncrementalExportSpecification ?? {}) as Input;
  const fromMs = Number(ExportFromTime) * 1_000;
  const toMs = ExportToTime === undefined ? now : Number(ExportToTime) * 1_000;
  const view = (ExportViewType ?? 'NEW_AND_OLD_IMAGES') as 'NEW_AND_OLD_IMAGES' | 'NEW_IMAGE';
  if (toMs - fromMs >= SPAN_MS.min && toMs - fromMs <= SPAN_MS.max)
    return { type: 'INCREMENTAL_EXPORT', fromMs, toMs, view };
  return { code: 'ValidationException', problem: 'an incremental export spans 15 minutes to 24 hours' };
}

const descriptionOf = (one: TableExport) => ({
  ExportArn: one.arn,
  ExportStatus: one.status,
  StartTime: one.startedAt / 1_000,
  EndTime: one.endedAt === undefined ? undefined : one.endedAt / 1_000,
  ExportManifest: one.manifestKey,
  TableArn: one.tableArn,
  ClientToken: one.clientToken,
  S3Bucket: one.bucket,
  S3Prefix: one.prefix,
  S3SseAlgorithm: 'AES256',
  FailureCode: one.failure?.code,
  FailureMessage: one.failure?.message,
  ExportFormat: 'DYNAMODB_JSON',
  ItemCount: one.itemCount,
  BilledSizeBytes: one.billedBytes,
  ExportType: one.span.type,
  ...(one.span.type === 'FULL_EXPORT'
    ? { ExportTime: one.span.atMs / 1_000 }
    : {
        IncrementalExportSpecification: {
          ExportFromTime: one.span.fromMs / 1_000,
          ExportToTime: one.span.toMs / 1_000,
          ExportViewType: one.span.view,
        },
      }),
});

/** A table that is being restored can only be looked at. */
function underRestore(call: GatewayCall, { backups }: BackupsServiceOptions): Reply | undefined {
  if (backups.restores.size === 0) return undefined;
  const name = nameOf((JSON.parse(call.bodyText() || '{}') as Input).TableName);
  const restore = backups.restores.get(name);
  if (restore === undefined) return undefined;
  if (!restore.isUnderWay) {
    if (call.operation === 'DeleteTable') backups.forget(name);
    return undefined;
  }
  if (call.operation === 'DescribeTable') return jsonReply({ Table: creating(name, backups) });
  if (call.operation === 'DeleteTable') return refused('ResourceInUseException', `Table is being created: ${name}`);
  return refused('ResourceNotFoundException', 'Requested resource not found');
}

const creating = (name: string, backups: Backups) => ({
  TableName: name,
  TableArn: arn('dynamodb', `table/${name}`),
  TableStatus: 'CREATING',
  RestoreSummary: restoreSummary(name, backups),
});

function restoreSummary(name: string, { restores }: Pick<Backups, 'restores'>) {
  const restore = restores.get(name);
  return (
    restore && {
      SourceTableArn: arn('dynamodb', `table/${restore.sourceName}`),
      RestoreDateTime: restore.toMs / 1_000,
      RestoreInProgress: restore.isUnderWay,
    }
  );
}

/** The engine does not know where a table came from: DescribeTable is told. */
export function withRestoreSummary(call: GatewayCall, reply: Reply, backups: Pick<Backups, 'restores'>): Reply {
  if (call.operation !== 'DescribeTable' || backups.restores.size === 0) return reply;
  const answer = JSON.parse(reply.body.toString('utf8')) as {
    Table?: { TableName?: string; RestoreSummary?: unknown };
  };
  const summary = restoreSummary(answer.Table?.TableName ?? '', backups);
  if (answer.Table === undefined || summary === undefined) return reply;
  answer.Table.RestoreSummary = summary;
  // The engine's checksum of its own body does not fit any more.
  const { 'x-amz-crc32': _, 'content-length': __, ...headers } = reply.headers;
  return { ...reply, headers, body: Buffer.from(JSON.stringify(answer)) };
}

const nameOf = (nameOrArn: unknown): string =>
  resourceOfArn(String(nameOrArn ?? ''))
    .replace(/^table\//, '')
    .replace(/\/.*$/, '');

const refused = (code: string, message: string): Reply => errorReply('dynamodb', code, message);

const noHistory = (table: string): Reply =>
  refused(
    'PointInTimeRecoveryUnavailableException',
    `Point in time recovery is not enabled for table '${table}' (here: it needs a DynamoDB stream, too)`,
  );
