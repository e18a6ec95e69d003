// Ascending versions as ranges, both ends included: events of one stream that a consumer wants mostly follow each other, so
// a stream of a million events is one pair of numbers. Pure.

import type { Version } from '../../model/ids.ts';

export type Range = readonly [first: Version, last: Version];

/** Versions must come in ascending order. Changes and answers `ranges`. */
export function append(ranges: Range[], version: Version): Range[] {
  const last = ranges.at(-1);
  if (last !== undefined && last[1] + 1 === version) ranges[ranges.length - 1] = [last[0], version];
  else ranges.push([version, version]);
  return ranges;
}

/** The part of the ranges between two versions, both included. */
export const within = (ranges: readonly Range[], from: number, to: number): Range[] =>
  ranges.flatMap(([first, last]): Range[] => {
    const range = [Math.max(first, from) as Version, Math.min(last, to) as Version] as const;
    return range[0] <= range[1] ? [range] : [];
  });

export const count = (ranges: readonly Range[]): number =>
  ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);

/** Pieces of at most `size` versions. */
export function* pieces(ranges: readonly Range[], size: number): Generator<Range[]> {
  let piece: Range[] = [];
  let room = size;
  for (let [first, last] of ranges) {
    while (first <= last) {
      const end = Math.min(last, first + room - 1) as Version;
      piece.push([first, end]);
      room -= end - first + 1;
      first = (end + 1) as Version;
      if (room > 0) continue;
      yield piece;
      piece = [];
      room = size;
    }
  }
  if (piece.length > 0) yield piece;
}

export const versionsOf = (ranges: readonly Range[]): Version[] =>
  ranges.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, index) => (first + index) as Version));
