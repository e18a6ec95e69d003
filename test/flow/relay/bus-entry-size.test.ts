import { describe, expect, it } from '@jest/globals';
import {
  BODY_MAX_DEPTH,
  encodedEntry,
  encodeEntry,
  inRequests,
  isCarried,
  REQUEST_MAX_BYTES,
} from '../../../lib/flow/relay/bus-entry-size.ts';
import type { BusEntry } from '../../../lib/flow/relay/port.ts';
import type { Json } from '../../../lib/model/event.ts';

const entry = (data: Json): BusEntry => ({
  kind: 'event',
  detailType: 'Happened',
  detail: {
    format: 1,
    streamId: 'a',
    version: 1,
    position: 1,
    commitHash: 'f'.repeat(64),
    commitVersion: 1,
    id: 'e1',
    type: 'Happened',
    data,
    timestamp: '2026-01-01T00:00:00.000Z',
    correlationId: 'c',
    causationId: 'c',
  },
});
const bytesOf = (data: Json) => encodeEntry(entry(data), { maxBytes: Number.POSITIVE_INFINITY }).bytes;
const detailOf = (data: Json, maxBytes?: number) =>
  JSON.parse(encodeEntry(entry(data), maxBytes === undefined ? {} : { maxBytes }).detail) as Record<string, unknown>;
const nested = (levels: number): Json => {
  let value: Json = 1;
  for (let level = 0; level < levels; level += 1) value = [value];
  return value;
};

describe('the size of a bus entry', () => {
  it('counts source, detail type and detail in UTF-8 bytes', () => {
    const { detail, bytes } = encodeEntry(entry('é€😀'));
    expect(bytes).toBe('event-recovery'.length + 'Happened'.length + Buffer.byteLength(detail));
    expect(Buffer.byteLength(detail)).toBe(detail.length + 1 + 2 + 2);
  });

  it.each([
    [-1, false],
    [0, false],
    [1, true],
  ])('one byte around the limit (%d): body left out %s (failure 19)', (over, isOmitted) => {
    const text = '€'.repeat(100);
    const detail = detailOf(text, bytesOf(text) - over);
    expect(detail.bodyOmitted).toBe(isOmitted ? true : undefined);
    expect(detail.data).toEqual(isOmitted ? undefined : text);
    expect(detail).toMatchObject({ streamId: 'a', version: 1, position: 1, id: 'e1' });
  });

  it('of the largest entry leaves room for the envelope inside the 1,048,576 bytes of an SQS message', () => {
    expect(REQUEST_MAX_BYTES).toBeLessThanOrEqual(1_000_000 - 2_000);
    const filler = 'x'.repeat(REQUEST_MAX_BYTES - bytesOf(''));
    expect(encodeEntry(entry(filler)).bytes).toBe(REQUEST_MAX_BYTES);
    expect(detailOf(filler).bodyOmitted).toBeUndefined();
    expect(detailOf(`${filler}x`).bodyOmitted).toBe(true);
  });

  it('does not matter for a wake-up: it has no body', () => {
    const moved: BusEntry = {
      kind: 'stream-moved',
      detailType: '$StreamMoved',
      detail: { format: 1, streamId: 'a', version: 1, position: 1 },
    };
    expect(JSON.parse(encodeEntry(moved).detail)).toEqual(moved.detail);
  });
});

describe('a body that EventBridge would not take', () => {
  it.each<[string, Json]>([
    ['an integer of 2^63', 2 ** 63],
    ['a negative one, deep inside', { a: [{ b: -(2 ** 70) }] }],
    ['deeper nesting than 1,000 levels', nested(BODY_MAX_DEPTH + 1)],
  ])('%s is left out', (_, data) => {
    expect(isCarried(data)).toBe(false);
    expect(detailOf(data).bodyOmitted).toBe(true);
  });

  it.each<[string, Json]>([
    ['the largest safe integer', Number.MAX_SAFE_INTEGER],
    ['a large number with a fraction part', 1.5],
    ['null', null],
    ['nesting at the limit', nested(BODY_MAX_DEPTH)],
    ['a wide object', Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`k${index}`, index]))],
  ])('but %s is carried', (_, data) => {
    expect(isCarried(data)).toBe(true);
    expect(detailOf(data).data).toEqual(data);
  });
});

describe('requests', () => {
  const ofBytes = (bytes: number) => ({ ...encodedEntry('T', '{}'), bytes });

  it('hold at most 10 entries', () => {
    const sizes = inRequests(Array.from({ length: 25 }, () => ofBytes(10))).map((request) => request.length);
    expect(sizes).toEqual([10, 10, 5]);
  });

  it('hold at most the bytes of one request, and a largest entry travels alone', () => {
    const sizes = inRequests([60, 40, 1, 100, 50, 51].map(ofBytes), 100).map((request) =>
      request.map(({ bytes }) => bytes),
    );
    expect(sizes).toEqual([[60, 40], [1], [100], [50], [51]]);
  });

  it('are none for no entries', () => {
    expect(inRequests([])).toEqual([]);
  });
});
