import { describe, expect, it } from '@jest/globals';
import { BUCKET_POSITIONS, bucketOf, incidentKey, padded, pageKey } from '../../../lib/flow/log/keys.ts';
import { position } from './support.ts';

describe('keys of the log', () => {
  it('sorts numbers as text', () => {
    const numbers = [1, 9, 10, 99, 2 ** 20, Number.MAX_SAFE_INTEGER];
    expect([...numbers].map(padded).sort()).toEqual(numbers.map(padded));
  });

  it('begins a new bucket after every 2^20 positions', () => {
    expect([1, BUCKET_POSITIONS, BUCKET_POSITIONS + 1, 2 * BUCKET_POSITIONS].map(bucketOf)).toEqual([0, 0, 1, 1]);
    expect(pageKey(position(BUCKET_POSITIONS + 1))).toEqual({ pk: 'page#0#1', sk: '0000000001048577' });
  });

  it('keeps the key of an incident under the 1,024 bytes of a sort key', () => {
    const { sk } = incidentKey({ streamId: 'é'.repeat(128), version: 1, kind: 'checkpoint-beyond-head' });
    expect(Buffer.byteLength(sk)).toBeLessThan(1_024);
  });
});
