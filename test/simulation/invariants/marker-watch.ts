// Which markers are completed and stored right now, as the table shows them: an effect that begins behind such a marker is
// a violation, whatever else happened.

import type { Change } from './change.ts';

export interface MarkerWatch {
  onChange(change: Change): void;
  isCompleted(consumer: string, scope: string, streamId: string, version: number, now: number): boolean;
  /** It was completed, and is gone before its time. */
  isGone(consumer: string, scope: string, streamId: string, version: number): boolean;
  /** It was completed at some time, whatever became of it since. */
  wasCompleted(consumer: string, scope: string, streamId: string, version: number): boolean;
  /** When each stored marker expires, in seconds since 1970, by key. */
  readonly expiries: ReadonlyMap<string, number>;
}

export function createMarkerWatch(): MarkerWatch {
  /** When the protection of each completed marker ends, in milliseconds. */
  const completedUntil = new Map<string, number>();
  const everCompleted = new Set<string>();
  const expiries = new Map<string, number>();
  return {
    expiries,
    onChange: ({ before, after }) => {
      const key = String((after ?? before)?.key);
      if (after === undefined) expiries.delete(key);
      else expiries.set(key, Number(after.expiresAt));
      if (after?.state === 'completed') {
        completedUntil.set(key, Number(after.expiresAt) * 1_000);
        everCompleted.add(key);
      } else completedUntil.delete(key);
    },
    isCompleted: (consumer, scope, streamId, version, now) =>
      (completedUntil.get(`${consumer}#${scope}#${version}#${streamId}`) ?? 0) > now + CLOCK_MARGIN_MS,
    isGone: (consumer, scope, streamId, version) => {
      const key = `${consumer}#${scope}#${version}#${streamId}`;
      return everCompleted.has(key) && !completedUntil.has(key);
    },
    wasCompleted: (consumer, scope, streamId, version) =>
      everCompleted.has(`${consumer}#${scope}#${version}#${streamId}`),
  };
}

/** A worker may take a marker for expired a little early. */
const CLOCK_MARGIN_MS = 5_000;
