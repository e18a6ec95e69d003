// Reads one export back, by its manifests. Every object is compared with its checksum before anything of it is handed out:
// a file that is missing or was altered is an error with its name, never a shorter archive.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html

import { createHash } from 'node:crypto';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { EventRecoveryError } from '../../model/errors.ts';
import { anyNumber } from '../../platform/dynamodb/any-number.ts';
import { type Objects, readWhole } from './objects.ts';

export interface ExportDataFile {
  key: string;
  md5: string;
  items: number;
}

/** The data files of an export. @throws EventRecoveryError `ARCHIVE_FILE_MISSING`, `ARCHIVE_FILE_ALTERED` */
export async function dataFilesOf(objects: Pick<Objects, 'read'>, manifestKey: string): Promise<ExportDataFile[]> {
  const summary = JSON.parse(await readChecked(objects, manifestKey)) as { manifestFilesS3Key: string };
  // The key in the summary is without a bucket prefix in some exports: it always lies beside the summary.
  const manifestFilesKey = manifestKey.replace(/manifest-summary\.json$/, 'manifest-files.json');
  const lines = (await readChecked(objects, manifestFilesKey)).split('\n').filter((line) => line !== '');
  if (summary.manifestFilesS3Key === undefined) throw altered(manifestKey, 'it names no manifest of files');
  return lines.map((line) => {
    const { dataFileS3Key, md5Checksum, itemCount } = JSON.parse(line) as Record<string, string & number>;
    if (dataFileS3Key === undefined || md5Checksum === undefined)
      throw altered(manifestFilesKey, 'a line is incomplete');
    return { key: dataFileS3Key, md5: md5Checksum, items: itemCount ?? 0 };
  });
}

/** What an image is found by. Whatever else it holds may be garbage. */
export interface ImageKey {
  streamId: string;
  version: number;
}

/**
 * The images in a data file that `wanted` picks by their keys, old and new ones. Only these are taken apart.
 * @throws EventRecoveryError `ARCHIVE_FILE_MISSING`, `ARCHIVE_FILE_ALTERED`
 */
export async function imagesIn(
  objects: Pick<Objects, 'read'>,
  file: ExportDataFile,
  wanted: (key: ImageKey) => boolean,
): Promise<Record<string, unknown>[]> {
  const stream = await objects.read(file.key);
  if (stream === undefined) throw missing(file.key);
  const checksum = createHash('md5');
  let bytes = 0;
  const compressed = Readable.from(
    observed(stream, (part) => {
      bytes += part.length;
      checksum.update(part);
    }),
  );
  const unpacked = compressed.pipe(createGunzip());
  // An error of the source does not pass through a pipe by itself.
  compressed.on('error', (error) => unpacked.destroy(error));
  const found: Record<string, unknown>[] = [];
  let items = 0;
  try {
    for await (const line of createInterface({ input: unpacked, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (line === '') continue;
      items += 1;
      found.push(...imagesOf(line, wanted));
    }
    // readline ends silently when its input fails.
    if (unpacked.errored) throw unpacked.errored;
  } catch (error) {
    if (compressed.errored) throw compressed.errored;
    // Of a partition without items AWS writes an empty file, which is no compressed one; its checksum says whether it was.
    if (bytes > 0) throw altered(file.key, (error as Error).message);
  }
  const md5 = checksum.digest('base64');
  if (md5 !== file.md5) throw altered(file.key, `its MD5 is ${md5}, the manifest says ${file.md5}`);
  if (items !== file.items) throw altered(file.key, `it has ${items} items, the manifest says ${file.items}`);
  return found;
}

async function* observed(
  stream: AsyncIterable<Uint8Array>,
  see: (part: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  for await (const part of stream) {
    see(part);
    yield part;
  }
}

type WireItem = Record<string, Record<string, unknown>>;

/** `{ Item }` of a full export; `{ Keys, OldImage?, NewImage? }` of an incremental one. */
function imagesOf(line: string, wanted: (key: ImageKey) => boolean): Record<string, unknown>[] {
  const { Item, OldImage, NewImage } = JSON.parse(line) as Record<string, WireItem | undefined>;
  return [Item, OldImage, NewImage].flatMap((image) =>
    image !== undefined && wanted(keyOf(image)) ? [plain(image)] : [],
  );
}

const keyOf = ({ streamId, version }: WireItem): ImageKey => ({
  streamId: String(streamId?.S),
  version: Number(version?.N),
});

/** Binary values are base64 in the file; commits have no other types than S, N and B, garbage may have any. */
const plain = (image: WireItem): Record<string, unknown> =>
  unmarshall(
    Object.fromEntries(
      Object.entries(image).map(([name, value]) => [
        name,
        (typeof value.B === 'string' ? { B: Buffer.from(value.B, 'base64') } : value) as unknown as AttributeValue,
      ]),
    ),
    { wrapNumbers: anyNumber },
  );

async function readChecked(objects: Pick<Objects, 'read'>, key: string): Promise<string> {
  const checksumKey = key.replace(/json$/, 'checksum');
  const [body, checksum] = await Promise.all([readWhole(objects, key), readWhole(objects, checksumKey)]);
  if (body === undefined) throw missing(key);
  if (checksum === undefined) throw missing(checksumKey);
  const md5 = createHash('md5').update(body);
  const [hex, base64] = [md5.copy().digest('hex'), md5.digest('base64')];
  const given = checksum.toString('utf8').trim();
  if (given !== base64 && given !== hex) throw altered(key, `its MD5 is ${base64}, its checksum file says ${given}`);
  return body.toString('utf8');
}

const REMEDY =
  'remedy: the bucket is versioned, bring the object back (aws s3api list-object-versions), or restore from point-in-time recovery';

const missing = (key: string): EventRecoveryError =>
  new EventRecoveryError('ARCHIVE_FILE_MISSING', `the archive has no object ${key}; ${REMEDY}`, { facts: { key } });

const altered = (key: string, why: string): EventRecoveryError =>
  new EventRecoveryError(
    'ARCHIVE_FILE_ALTERED',
    `the archive's object ${key} is not what was exported: ${why}; ${REMEDY}`,
    {
      facts: { key, why },
    },
  );
