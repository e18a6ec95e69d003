// What is taken out of an export's data files: the wanted images, whatever else lies in the file.

import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { NumberValue } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it } from '@jest/globals';
import { imagesIn } from '../../../lib/recovery/archive/read-export.ts';
import { itemOf, textOf } from '../../../lib/recovery/restore/raw-item.ts';

const HUGE = '12345678901234567890123';
const key = (streamId: string, version: number) => ({ streamId: { S: streamId }, version: { N: String(version) } });

async function imagesOf(
  lines: object[],
  streamId: string,
  body: Buffer = gzipSync(lines.map((line) => `${JSON.stringify(line)}\n`).join('')),
) {
  const md5 = createHash('md5').update(body).digest('base64');
  const objects = {
    read: async () =>
      (async function* () {
        yield body;
      })(),
  };
  const file = { key: 'data/one.json.gz', md5, items: lines.length };
  return imagesIn(objects, file, (image) => image.streamId === streamId && image.version === 1);
}

describe('a data file of an export', () => {
  it('gives the wanted images, old and new, with their binary values', async () => {
    const bytes = Buffer.from('compressed');
    const image = { ...key('a', 1), count: { N: '2' }, events: { B: bytes.toString('base64') } };
    const lines = [
      { Item: image },
      { Item: key('a', 2) },
      { Keys: key('a', 1), OldImage: image, NewImage: key('a', 1) },
    ];
    const plain = { streamId: 'a', version: 1, count: 2, events: bytes };
    expect(await imagesOf(lines, 'a')).toEqual([plain, plain, { streamId: 'a', version: 1 }]);
  });

  it('is read although items in it hold numbers that JavaScript cannot, or are no items at all', async () => {
    const lines = [
      { Item: { ...key('b', 1), count: { N: HUGE } } },
      { Item: { streamId: { S: 'a' }, version: { N: HUGE } } },
      { Item: { ...key('c', 1), count: { WHAT: 1 } } },
      { Item: {} },
      { Item: { ...key('a', 1), count: { N: HUGE } } },
    ];
    const [image, ...more] = await imagesOf(lines, 'a');
    expect(more).toEqual([]);
    expect(image?.count).toEqual(NumberValue.from(HUGE));
    // It is kept as it is.
    expect(itemOf(textOf(image ?? {}))).toEqual(image);
  });

  it('may be empty: of a partition without items AWS writes a file without items, or without any byte', async () => {
    expect(await imagesOf([], 'a')).toEqual([]);
    expect(await imagesOf([], 'a', Buffer.alloc(0))).toEqual([]);
  });
});
