// Finds the position of the last sequenced event. Pages are contiguous, so a bucket holds pages only if all lower ones
// do: the last bucket is found by doubling and halving, from the highest page that this process has ever seen.

import type { Position } from '../../model/ids.ts';
import { bucketOf } from './keys.ts';
import { type LogTable, lastPageBounds, type PageBounds } from './table.ts';

/** The highest page that this process has seen: it may be old, but it never becomes wrong. */
export interface HeadCache {
  page?: PageBounds;
}

export function remember(cache: HeadCache, page: PageBounds): void {
  if (cache.page === undefined || page.lastPosition > cache.page.lastPosition) {
    cache.page = { firstPosition: page.firstPosition, lastPosition: page.lastPosition };
  }
}

/** One Query when the head is in the bucket that was seen last; a cold start after n buckets takes about 2 x log2(n). */
export async function findHead(table: LogTable, cache: HeadCache): Promise<Position> {
  let low = bucketOf(cache.page?.firstPosition ?? 1);
  let page = await lastPageBounds(table, low);
  if (page === undefined) return (cache.page?.lastPosition ?? 0) as Position;
  // Only a page that reaches the bucket's end can be followed by one in the next bucket.
  if (bucketOf(page.lastPosition + 1) > low) {
    let empty = low + 1;
    for (let step = 1; ; step *= 2) {
      const found = await lastPageBounds(table, empty);
      if (found === undefined) break;
      low = empty;
      page = found;
      empty = low + step;
    }
    while (empty - low > 1) {
      const middle = Math.floor((low + empty) / 2);
      const found = await lastPageBounds(table, middle);
      if (found === undefined) empty = middle;
      else {
        low = middle;
        page = found;
      }
    }
  }
  remember(cache, page);
  return page.lastPosition;
}
