// Format numbers: version N reads N-1; newer ones are left alone and tried again.

import { describe, expect, it } from '@jest/globals';
import { readableFormat } from '../../lib/model/format.ts';

describe('a format', () => {
  it.each([
    [1, 1],
    [4, 5],
    [5, 5],
  ])('%i can be read by code whose newest is %i', (got, newest) => {
    expect(readableFormat('checkpoint', got, newest)).toBe(got);
  });

  it.each([
    [2, 1],
    [6, 5],
    [900, 5],
  ])('%i is newer than %i: retryable, because the newer code can read it', (got, newest) => {
    expect(() => readableFormat('checkpoint', got, newest)).toThrow(
      expect.objectContaining({ code: 'NEWER_FORMAT', retryable: true, facts: { what: 'checkpoint', got, newest } }),
    );
  });

  it.each<[unknown, number]>([
    [3, 5],
    [0, 1],
    [-1, 1],
    [1.5, 2],
    ['1', 1],
    [undefined, 1],
    [null, 1],
    [Number.NaN, 1],
    [Number.POSITIVE_INFINITY, 1],
  ])('%j is none for code whose newest is %i: permanent', (got, newest) => {
    expect(() => readableFormat('checkpoint', got, newest)).toThrow(
      expect.objectContaining({ code: 'INVALID_FORMAT', retryable: false }),
    );
  });
});
