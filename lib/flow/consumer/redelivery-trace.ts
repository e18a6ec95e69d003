// What a redelivery leaves on the checkpoint when it gives the lease back, at no cost of its own: how far it came. One message's
// end is only visible there; a later message of the same redelivery goes on with the count.

import type { Checkpoint } from '../../model/checkpoint.ts';
import type { Version } from '../../model/ids.ts';

export interface RedeliveryTrace {
  /** Its fate is decided: delivered (or nothing to deliver), or given up. */
  passed(version: Version, end: 'done' | 'failed'): void;
  /** What to save, by the server clock: unchanged when nothing was passed. */
  redelivered(now: number): Checkpoint['redelivered'];
}

export function startTrace(stored: Pick<Checkpoint, 'redelivered'>, id: string): RedeliveryTrace {
  const before = stored.redelivered?.id === id ? stored.redelivered : undefined;
  let through: Version | undefined;
  let { failed = 0, lastFailed } = before ?? {};
  return {
    passed(version, end) {
      through = version;
      // A message that comes twice fails twice, and is one failure.
      if (end === 'done' || version <= (before?.through ?? 0)) return;
      failed += 1;
      lastFailed = version;
    },
    redelivered(now) {
      if (through === undefined) return stored.redelivered;
      const furthest = Math.max(through, before?.through ?? 0) as Version;
      return { id, through: furthest, failed, ...(lastFailed !== undefined && { lastFailed }), at: now };
    },
  };
}
