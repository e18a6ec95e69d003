// Does the log hold a commit that the stream directory knows nothing of? It has no index by stream, so the pages since the
// commit was recorded are read, up to a bound. Asked before the relay is woken up: a commit must not get two positions.

import type { Reads } from './reads.ts';

/** Producers' and relays' clocks may differ by minutes: failures are tried up to 5 minutes. */
const SKEW_MS = 15 * 60_000;
/** At most 16 read units each. 2,000 pages hold 2,000 commits of an idle system and a million of a busy one. */
export const SEARCH_PAGES_MAX = 2_000;

/** `unknown`: too many pages, or one that cannot be read. */
export type LogSearch = { kind: 'found'; position: number } | { kind: 'not-found' } | { kind: 'unknown' };

export async function searchLog(
  reads: Pick<Reads, 'pageAt'>,
  wanted: { streamId: string; from: number; recordedAt: number; head: number; maxPages: number },
): Promise<LogSearch> {
  const start = await firstPositionSince(reads, wanted.recordedAt - SKEW_MS, wanted.head);
  if (start === undefined) return { kind: 'unknown' };
  let position = start;
  for (let pages = 0; position <= wanted.head; pages += 1) {
    if (pages >= wanted.maxPages) return { kind: 'unknown' };
    const found = await reads.pageAt(position);
    if (found.kind !== 'page') return { kind: 'unknown' };
    const entry = found.page.entries.find(
      ({ streamId, version, count }) => streamId === wanted.streamId && version + count - 1 >= wanted.from,
    );
    if (entry !== undefined) return { kind: 'found', position: entry.position };
    position = found.page.lastPosition + 1;
  }
  return { kind: 'not-found' };
}

/** Where the first page of that time begins; undefined: a page cannot be read. Binary search: pages are written one after the other, so that their times hardly ever go back. */
export async function firstPositionSince(
  reads: Pick<Reads, 'pageAt'>,
  sinceMs: number,
  head: number,
): Promise<number | undefined> {
  let low = 1;
  let high = head + 1;
  while (low < high) {
    const found = await reads.pageAt(Math.floor((low + high) / 2));
    if (found.kind !== 'page') return undefined;
    const { firstPosition, lastPosition, sequencedAt } = found.page;
    if (sequencedAt >= sinceMs) high = firstPosition;
    else low = lastPosition + 1;
  }
  return low;
}
