import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Version } from '../../../lib/model/ids.ts';
import { append, count, pieces, type Range, versionsOf, within } from '../../../lib/recovery/plan/ranges.ts';

const versions = fc.uniqueArray(fc.integer({ min: 1, max: 60 })).map((all) => all.toSorted((a, b) => a - b));
const rangesOf = (all: readonly number[]): Range[] =>
  all.reduce<Range[]>((ranges, version) => append(ranges, version as Version), []);

describe('ranges of versions', () => {
  it('are the versions that were put in, as few pairs as possible', () => {
    expect(rangesOf([1, 2, 3, 7, 9, 10])).toEqual([
      [1, 3],
      [7, 7],
      [9, 10],
    ]);
    fc.assert(
      fc.property(versions, (all) => {
        expect(versionsOf(rangesOf(all))).toEqual(all);
        expect(count(rangesOf(all))).toBe(all.length);
      }),
    );
  });

  it('are cut to a part, both ends included', () => {
    fc.assert(
      fc.property(versions, fc.nat(60), fc.nat(60), (all, from, to) => {
        expect(versionsOf(within(rangesOf(all), from, to))).toEqual(all.filter((one) => one >= from && one <= to));
      }),
    );
  });

  it('are divided into full pieces and a rest, in order', () => {
    fc.assert(
      fc.property(versions, fc.integer({ min: 1, max: 10 }), (all, size) => {
        const divided = [...pieces(rangesOf(all), size)].map(versionsOf);
        expect(divided.flat()).toEqual(all);
        expect(divided.slice(0, -1).every((piece) => piece.length === size)).toBe(true);
        expect(divided.every((piece) => piece.length > 0)).toBe(true);
      }),
    );
  });
});
