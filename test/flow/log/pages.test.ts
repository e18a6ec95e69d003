import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  decodePage,
  encodePage,
  entriesOfOnePage,
  PAGE_MAX_BYTES,
  PAGE_MAX_STREAMS,
  placeEntries,
  type UnplacedEntry,
} from '../../../lib/flow/log/pages.ts';
import type { DirectoryEntry } from '../../../lib/flow/log/port.ts';
import type { StreamId } from '../../../lib/model/ids.ts';
import { entry, id, nothing, position } from './support.ts';

const directoryAt = (streamId: string, version: number, at: number): Map<StreamId, DirectoryEntry> =>
  new Map([
    [
      id(streamId),
      {
        streamId: id(streamId),
        version: version as DirectoryEntry['version'],
        position: position(at),
        hashPrefix: 'f'.repeat(16),
        updatedAt: 0,
      },
    ],
  ]);

describe('placing entries', () => {
  it('gives contiguous positions after the head and links each commit to the one before it in its stream', () => {
    const page = placeEntries({
      head: position(10),
      sequencedAt: 5,
      expected: directoryAt('a', 3, 7),
      entries: [entry('a', 4, { count: 2 }), entry('b', 1), entry('a', 6)],
    });
    expect(page).toMatchObject({ firstPosition: 11, lastPosition: 14, sequencedAt: 5 });
    expect(page.entries.map(({ position, previousPosition }) => [position, previousPosition])).toEqual([
      [11, 7],
      [13, 0],
      [14, 11],
    ]);
  });

  it.each([
    ['a gap after the directory', [entry('a', 5)]],
    ['a version twice', [entry('a', 4), entry('a', 4)]],
    ['a version again', [entry('a', 4), entry('a', 3)]],
    ['an empty commit', [entry('a', 4, { count: 0 })]],
    ['fewer types than events', [{ ...entry('a', 4, { count: 2 }), types: ['Happened'] }]],
  ])('refuses %s', (_, entries) => {
    const place = () => placeEntries({ head: position(0), sequencedAt: 0, expected: directoryAt('a', 3, 7), entries });
    expect(place).toThrow(expect.objectContaining({ code: 'LOG_SEQUENCE_INVALID' }));
  });
});

describe('a page as an item', () => {
  const text = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' });
  const commits = fc.array(
    fc.record({
      stream: fc.nat({ max: 4 }),
      types: fc.array(fc.nat({ max: 6 }), { minLength: 1, maxLength: 5 }),
      recordedAt: fc.nat({ max: 2_000_000_000_000 }),
    }),
    { minLength: 1, maxLength: 40 },
  );

  it('reads back what was written, whatever ids, types and times it holds', () => {
    fc.assert(
      fc.property(
        commits,
        fc.uniqueArray(text, { minLength: 5, maxLength: 5 }),
        fc.uniqueArray(text, { minLength: 7, maxLength: 7 }),
        fc.nat(),
        (made, streams, types, head) => {
          const next = new Map<string, number>();
          const entries = made.map(({ stream, types: codes, recordedAt }): UnplacedEntry => {
            const streamId = streams[stream] as string;
            const version = next.get(streamId) ?? 1;
            next.set(streamId, version + codes.length);
            return entry(streamId, version, { types: codes.map((code) => types[code] as string), recordedAt });
          });
          const page = placeEntries({ head: position(head), sequencedAt: 9, expected: nothing, entries });
          const item = JSON.parse(JSON.stringify(encodePage(page))) as Record<string, unknown>;
          expect(decodePage(item)).toEqual(page);
        },
      ),
    );
  });

  it.each([
    ['no JSON', { entries: '{' }],
    ['JSON that is no page', { entries: '[]' }],
    ['null', { entries: 'null' }],
    ['a wrong last position', { lastPosition: 99 }],
    [
      'a stream that is not in the dictionary',
      { entries: '{"streams":[],"types":["T"],"recordedAt":1,"commits":[[0,0,0,"x"]]}' },
    ],
    [
      'a type that is not in the dictionary',
      { entries: '{"streams":[["a",1,0]],"types":[],"recordedAt":1,"commits":[[0,0,0,"x"]]}' },
    ],
  ])('refuses %s', (_, change) => {
    const page = placeEntries({ head: position(0), sequencedAt: 9, expected: nothing, entries: [entry('a', 1)] });
    expect(() => decodePage({ ...encodePage(page), ...change })).toThrow(
      expect.objectContaining({ code: 'LOG_DAMAGED' }),
    );
  });
});

describe('the format of a page', () => {
  const item = () =>
    encodePage(placeEntries({ head: position(0), sequencedAt: 9, expected: nothing, entries: [entry('a', 1)] }));

  it('is tried again when newer code wrote it, because this code is being rolled back', () => {
    expect(() => decodePage({ ...item(), format: 2 })).toThrow(
      expect.objectContaining({ code: 'NEWER_FORMAT', retryable: true }),
    );
  });

  it('is refused when it is none', () => {
    expect(() => decodePage({ ...item(), format: 'x' })).toThrow(expect.objectContaining({ code: 'INVALID_FORMAT' }));
  });
});

describe('cutting pages', () => {
  const textBytes = (entries: readonly UnplacedEntry[]) =>
    Buffer.byteLength(
      encodePage(placeEntries({ head: position(2 ** 52), sequencedAt: 9, expected: nothing, entries })).entries,
    );

  it('puts at most 99 streams into a page, because a transaction takes 100 writes', () => {
    const entries = Array.from({ length: 150 }, (_, index) => entry(`stream-${index}`, 1));
    expect(entriesOfOnePage(entries)).toBe(PAGE_MAX_STREAMS);
    expect(PAGE_MAX_STREAMS).toBe(99);
  });

  it('goes on with streams that the page already has', () => {
    const entries = [
      ...Array.from({ length: 99 }, (_, index) => entry(`stream-${index}`, 1)),
      entry('stream-7', 2),
      entry('one-too-many', 1),
    ];
    expect(entriesOfOnePage(entries)).toBe(100);
  });

  it('never lets a page of several commits grow over its bound, measured in UTF-8 bytes', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            stream: fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme' }),
            types: fc.array(fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' }), {
              minLength: 1,
              maxLength: 40,
            }),
          }),
          { minLength: 20, maxLength: 60 },
        ),
        (made) => {
          const entries = made.map(({ stream, types }, index) => entry(`${index}-${stream}`, 1, { types }));
          const maxBytes = 4_096;
          const count = entriesOfOnePage(entries, { maxBytes });
          expect(count).toBeGreaterThanOrEqual(1);
          if (count > 1) expect(textBytes(entries.slice(0, count))).toBeLessThanOrEqual(maxBytes);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('gives the largest possible commit a page of its own, under the item limit of 400 KB', () => {
    const types = Array.from({ length: 1_000 }, (_, index) => `${index}`.padStart(128, '"'));
    const largest = entry('"'.repeat(256), 1, { types });
    expect(entriesOfOnePage([largest, entry('b', 1)])).toBe(1);
    expect(textBytes([largest])).toBeGreaterThan(PAGE_MAX_BYTES);
    expect(textBytes([largest])).toBeLessThan(400 * 1024 - 2_048);
  });
});
