// The objects that an export to S3 consists of, as AWS documents them: data files in DynamoDB's JSON, one item in each line,
// and two manifests with their checksums. Pure.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html

import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { type Change, differences, stateAt } from './timeline.ts';

export interface ExportFacts {
  exportId: string;
  exportArn: string;
  tableArn: string;
  bucket: string;
  prefix?: string;
  /** Milliseconds since 1970. */
  startedAt: number;
  endedAt: number;
  span: ExportSpan;
}

export type ExportSpan =
  | { type: 'FULL_EXPORT'; atMs: number }
  | { type: 'INCREMENTAL_EXPORT'; fromMs: number; toMs: number; view: 'NEW_AND_OLD_IMAGES' | 'NEW_IMAGE' };

export interface ExportFile {
  key: string;
  body: Buffer;
}

export interface ExportFiles {
  /** In the order in which they are written: the summary last. */
  files: ExportFile[];
  manifestKey: string;
  itemCount: number;
  billedBytes: number;
}

/** AWS makes at least one file for each partition of the table; here as many as there are items, up to this. */
const DATA_FILES = 4;

export function exportFiles(changes: readonly Change[], facts: ExportFacts): ExportFiles {
  const { exportId, span } = facts;
  const root = `${facts.prefix ? `${facts.prefix}/` : ''}AWSDynamoDB`;
  const lines = span.type === 'FULL_EXPORT' ? fullLines(changes, span.atMs) : incrementalLines(changes, span);
  const folder = span.type === 'FULL_EXPORT' ? `${root}/${exportId}/data` : `${root}/data`;
  const data = spread(lines).map((part, index) => {
    const body = gzipSync(part.map((line) => `${line}\n`).join(''));
    const name = createHash('sha256').update(`${exportId}#${index}`).digest('hex').slice(0, 26);
    return { key: `${folder}/${name}.json.gz`, body, itemCount: part.length };
  });
  const manifestFiles = data
    .map(({ key, body, itemCount }) => {
      const checksum = createHash('md5').update(body);
      const hex = checksum.copy().digest('hex');
      return JSON.stringify({ itemCount, md5Checksum: checksum.digest('base64'), etag: hex, dataFileS3Key: key });
    })
    .map((line) => `${line}\n`)
    .join('');
  const manifestFilesKey = `${root}/${exportId}/manifest-files.json`;
  const manifestKey = `${root}/${exportId}/manifest-summary.json`;
  const billedBytes = lines.reduce((sum, line) => sum + Buffer.byteLength(line), 0);
  const summary = JSON.stringify({
    version: span.type === 'FULL_EXPORT' ? '2020-06-30' : '2023-08-01',
    exportArn: facts.exportArn,
    startTime: iso(facts.startedAt),
    endTime: iso(facts.endedAt),
    tableArn: facts.tableArn,
    tableId: facts.tableArn,
    ...(span.type === 'FULL_EXPORT'
      ? { exportTime: iso(span.atMs) }
      : { exportFromTime: iso(span.fromMs), exportToTime: iso(span.toMs) }),
    s3Bucket: facts.bucket,
    s3Prefix: facts.prefix ?? null,
    s3SseAlgorithm: 'AES256',
    s3SseKmsKeyId: null,
    manifestFilesS3Key: manifestFilesKey,
    billedSizeBytes: billedBytes,
    itemCount: lines.length,
    outputFormat: 'DYNAMODB_JSON',
    exportType: span.type,
    ...(span.type === 'INCREMENTAL_EXPORT' && { outputView: span.view }),
  });
  const files = [
    { key: `${root}/${exportId}/_started`, body: Buffer.alloc(0) },
    ...data.map(({ key, body }) => ({ key, body })),
    ...withChecksum(manifestFilesKey, manifestFiles),
    ...withChecksum(manifestKey, summary).reverse(),
  ];
  return { files, manifestKey, itemCount: lines.length, billedBytes };
}

const fullLines = (changes: readonly Change[], atMs: number): string[] =>
  stateAt(changes, atMs).map((Item) => JSON.stringify({ Item }));

function incrementalLines(
  changes: readonly Change[],
  { fromMs, toMs, view }: Extract<ExportSpan, { type: 'INCREMENTAL_EXPORT' }>,
): string[] {
  return differences(changes, fromMs, toMs).map(({ at, keys, before, after }) =>
    JSON.stringify({
      Metadata: { WriteTimestampMicros: { N: String(at * 1_000) } },
      Keys: keys,
      ...(view === 'NEW_AND_OLD_IMAGES' && before !== undefined && { OldImage: before }),
      ...(after !== undefined && { NewImage: after }),
    }),
  );
}

/** At least one file, also for an empty table. */
function spread(lines: readonly string[]): string[][] {
  const count = Math.max(1, Math.min(DATA_FILES, lines.length));
  return Array.from({ length: count }, (_, file) => lines.filter((_line, index) => index % count === file));
}

function withChecksum(key: string, text: string): ExportFile[] {
  const checksum = createHash('md5').update(text).digest('base64');
  return [
    { key, body: Buffer.from(text) },
    { key: key.replace(/json$/, 'checksum'), body: Buffer.from(checksum) },
  ];
}

const iso = (ms: number): string => new Date(ms).toISOString();
