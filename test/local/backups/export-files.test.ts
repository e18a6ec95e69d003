// The objects of an export, read back as its reader reads them: by the manifest, with every checksum compared.

import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { type ExportSpan, exportFiles } from '../../../lib/local/backups/export-files.ts';
import type { Change } from '../../../lib/local/backups/timeline.ts';

const item = (id: string, value: string) => ({ id: { S: id }, value: { S: value } });
const CHANGES: Change[] = [
  ...Array.from({ length: 9 }, (_, n) => ({ at: n, keys: { id: { S: `i${n}` } }, image: item(`i${n}`, 'old') })),
  { at: 100, keys: { id: { S: 'i0' } }, image: item('i0', 'new') },
  { at: 101, keys: { id: { S: 'i1' } } },
  { at: 102, keys: { id: { S: 'i9' } }, image: item('i9', 'new') },
];
const md5 = (body: Buffer): string => createHash('md5').update(body).digest('base64');

function exported(span: ExportSpan) {
  const facts = { exportId: '01-ab', exportArn: 'arn:export', tableArn: 'arn:table', bucket: 'b', prefix: 'archive' };
  const made = exportFiles(CHANGES, { ...facts, startedAt: 1, endedAt: 2, span });
  const bodies = new Map(made.files.map(({ key, body }) => [key, body]));
  const body = (key: string): Buffer => bodies.get(key) ?? Buffer.from(`no ${key}`);
  const summary = JSON.parse(body(made.manifestKey).toString());
  const manifest = body(summary.manifestFilesS3Key).toString().trim().split('\n');
  const files = manifest.map((line) => JSON.parse(line) as Record<string, string & number>);
  const lines = files.flatMap(({ dataFileS3Key = '' }) =>
    gunzipSync(body(dataFileS3Key)).toString().split('\n').filter(Boolean),
  );
  return { made, body, summary, files, items: lines.map((line) => JSON.parse(line)) };
}

describe('an export', () => {
  it('in full holds every item of its moment once, below its own folder', () => {
    const { made, summary, files, items } = exported({ type: 'FULL_EXPORT', atMs: 50 });
    expect(items.map(({ Item }) => Item.id.S).sort()).toEqual(Array.from({ length: 9 }, (_, n) => `i${n}`));
    expect(items.every(({ Item }) => Item.value.S === 'old')).toBe(true);
    expect(summary).toMatchObject({ itemCount: 9, exportType: 'FULL_EXPORT', outputFormat: 'DYNAMODB_JSON' });
    expect(made.manifestKey).toBe('archive/AWSDynamoDB/01-ab/manifest-summary.json');
    for (const { dataFileS3Key } of files)
      expect(dataFileS3Key).toMatch(/^archive\/AWSDynamoDB\/01-ab\/data\/\w+\.json\.gz$/);
  });

  it('of a span holds what changed in it, with both images, in the shared data folder', () => {
    const { summary, files, items } = exported({
      type: 'INCREMENTAL_EXPORT',
      fromMs: 50,
      toMs: 200,
      view: 'NEW_AND_OLD_IMAGES',
    });
    expect(items.sort((a, b) => a.Keys.id.S.localeCompare(b.Keys.id.S))).toEqual([
      {
        Metadata: { WriteTimestampMicros: { N: '100000' } },
        Keys: { id: { S: 'i0' } },
        OldImage: item('i0', 'old'),
        NewImage: item('i0', 'new'),
      },
      { Metadata: { WriteTimestampMicros: { N: '101000' } }, Keys: { id: { S: 'i1' } }, OldImage: item('i1', 'old') },
      { Metadata: { WriteTimestampMicros: { N: '102000' } }, Keys: { id: { S: 'i9' } }, NewImage: item('i9', 'new') },
    ]);
    expect(summary).toMatchObject({ exportType: 'INCREMENTAL_EXPORT', outputView: 'NEW_AND_OLD_IMAGES', itemCount: 3 });
    for (const { dataFileS3Key } of files) expect(dataFileS3Key).toMatch(/^archive\/AWSDynamoDB\/data\/\w+\.json\.gz$/);
  });

  it('of an empty span has a file all the same', () => {
    const { files, items } = exported({ type: 'INCREMENTAL_EXPORT', fromMs: 300, toMs: 400, view: 'NEW_IMAGE' });
    expect(files).toHaveLength(1);
    expect(items).toEqual([]);
  });

  it('carries checksums of both manifests and of every file', () => {
    const { made, body, summary, files } = exported({ type: 'FULL_EXPORT', atMs: 500 });
    for (const key of [made.manifestKey, summary.manifestFilesS3Key])
      expect(body(key.replace(/json$/, 'checksum')).toString()).toBe(md5(body(key)));
    expect(files.length).toBeGreaterThan(1);
    for (const { dataFileS3Key = '', md5Checksum, itemCount = 0 } of files) {
      expect(md5(body(dataFileS3Key))).toBe(md5Checksum);
      expect(itemCount).toBeGreaterThan(0);
    }
    expect(made.files.at(-1)?.key).toBe(made.manifestKey);
  });
});
