import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hashCommit, verifyCommit } from '../../../lib/flow/event-store/hash.ts';
import { GENESIS_HASH, type StoredCommit } from '../../../lib/model/commit.ts';
import { streamId, type Version } from '../../../lib/model/ids.ts';
import { errorOf } from './support.ts';

const commit: Omit<StoredCommit, 'hash'> = {
  streamId: streamId('order-€17'),
  version: 3 as Version,
  count: 1,
  events: '[{"id":"e1","type":"T","data":"ä"}]',
  encoding: 'json',
  format: 1,
  recordedAt: 1_767_225_600_000,
  previousHash: GENESIS_HASH,
};

describe('the hash of a commit', () => {
  it('is SHA-256 over length-prefixed fields, as docs/recipes/read-without-us.md says: it must never change', () => {
    const framed =
      '11:order-€17,1:3,1:1,13:1767225600000,4:json,1:1,' +
      `64:${'0'.repeat(64)},` +
      '36:[{"id":"e1","type":"T","data":"ä"}],';
    const expected = createHash('sha256').update(framed, 'utf8').digest('hex');
    expect(hashCommit(commit)).toBe(expected);
    expect(hashCommit(commit)).toBe('2135d1c6845baa5d0d197b59d1d9ee9701ad52b787738f22187f5a019e255b5d');
  });

  it('is over the bytes as they are stored when they are compressed', () => {
    const bytes = new Uint8Array([0, 255, 44, 58]);
    const expected = createHash('sha256')
      .update('11:order-€17,1:3,1:1,13:1767225600000,2:br,1:1,')
      .update(`64:${'0'.repeat(64)},4:`)
      .update(bytes)
      .update(',')
      .digest('hex');
    expect(hashCommit({ ...commit, encoding: 'br', events: bytes })).toBe(expected);
  });

  it('differs wherever fields could be cut otherwise', () => {
    const cuts = [
      { ...commit, streamId: streamId('a'), events: 'bc' },
      { ...commit, streamId: streamId('ab'), events: 'c' },
      { ...commit, streamId: streamId('a,1:3'), events: 'c' },
      { ...commit, version: 31 as Version, count: 1, events: 'c' },
      { ...commit, version: 3 as Version, count: 11, events: 'c' },
      { ...commit, version: 3 as Version, count: 1, events: '1c' },
    ];
    expect(new Set(cuts.map(hashCommit)).size).toBe(cuts.length);
  });

  it('differs for any two different commits, whatever their fields hold', () => {
    const any = fc.record({
      streamId: fc
        .string({ minLength: 1, maxLength: 6, unit: fc.constantFrom('a', '1', ',', ':', '€') })
        .map((id) => streamId(id)),
      version: fc.integer({ min: 1, max: 30 }) as fc.Arbitrary<Version>,
      count: fc.integer({ min: 1, max: 30 }),
      recordedAt: fc.integer({ min: 0, max: 30 }),
      events: fc.string({ maxLength: 6, unit: fc.constantFrom('a', '1', ',', ':', '€') }),
    });
    fc.assert(
      fc.property(any, any, (left, right) => {
        const same = JSON.stringify(Object.entries(left).sort()) === JSON.stringify(Object.entries(right).sort());
        expect(hashCommit({ ...commit, ...left }) === hashCommit({ ...commit, ...right })).toBe(same);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('verifying a commit', () => {
  const stored: StoredCommit = { ...commit, hash: hashCommit(commit) };

  it('gives it with its events and without their coding', () => {
    expect(verifyCommit(stored)).toEqual({
      streamId: 'order-€17',
      version: 3,
      count: 1,
      format: 1,
      recordedAt: 1_767_225_600_000,
      previousHash: GENESIS_HASH,
      hash: stored.hash,
      events: [
        {
          id: 'e1',
          streamId: 'order-€17',
          type: 'T',
          data: 'ä',
          metadata: { timestamp: new Date(1_767_225_600_000), version: 3, correlationId: 'e1', causationId: 'e1' },
        },
      ],
    });
  });

  /** Rightly hashed, but not what an append writes: a bug or a forgery. */
  it.each<[string, Partial<Omit<StoredCommit, 'hash'>>]>([
    ['no JSON', { events: '[{' }],
    ['no list', { events: '{}' }],
    ['another number of events', { count: 2 }],
    ['an event without id', { events: '[{"type":"T","data":1}]' }],
    ['an event without data', { events: '[{"id":"e","type":"T"}]' }],
    ['null as an event', { events: '[null]' }],
    ['an invalid timestamp', { events: '[{"id":"e","type":"T","data":1,"timestamp":"soon"}]' }],
    ['bytes that are no Brotli', { encoding: 'br', events: new Uint8Array([1, 2, 3]) }],
    ['text that says it is Brotli', { encoding: 'br' }],
    ['an unknown coding', { encoding: 'zip' as 'br', events: new Uint8Array([1]) }],
    ['version 0', { version: 0 as Version }],
    ['count 0', { count: 0 }],
    ['a fractional time', { recordedAt: 1.5 }],
    ['format 0', { format: 0 }],
  ])('refuses %s although the hash fits', async (_, change) => {
    const changed = { ...commit, ...change };
    const error = await errorOf((async () => verifyCommit({ ...changed, hash: hashCommit(changed) }))());
    expect(error).toMatchObject({ code: 'STREAM_DAMAGED', streamId: 'order-€17' });
  });

  it.each(['version', 'count', 'recordedAt', 'format', 'encoding', 'events', 'previousHash', 'hash'] as const)(
    'refuses a commit without its %s',
    async (name) => {
      const { [name]: _, ...rest } = stored;
      const error = await errorOf((async () => verifyCommit(rest as StoredCommit))());
      expect(error).toMatchObject({ code: 'STREAM_DAMAGED' });
    },
  );
});
