// What a redelivery leaves on the checkpoint when it gives the lease back, at no cost of its own: how far it came. One message's
// end is only visible there; a later message of the same redelivery goes on with the count.

import type { Checkpoint } from '../../model/checkpoint.ts';
import type { Version } from '../../model/ids.ts';

export interface RedeliveryTrace {
  /** Its fate is decided: delivered (or nothing to deliver), or given up. */
  passed(version: Version, end: 'done' | 'failed'): void;
  /** What to save: unchanged when nothing was passed. */
  redelivered(): Checkpoint['redelivered'];
}

export function startTrace(stored: Pick<Checkpoint, 'redelivered'>, id: string): RedeliveryTrace {
  const before = stored.redelivered?.id === id ? stored.redelivered : undefined;
  let through: Version | undefined;
  let failed = before?.failed ?? 0;
  return {
    passed(version, end) {
      through = version;
      // A message that comes twice fails twice, and is one failure.
      if (end === 'failed' && version > (before?.through ?? 0)) failed += 1;
    },
    redelivered: () =>
      through === undefined
        ? stored.redelivered
        : { id, through: Math.max(through, before?.through ?? 0) as Version, failed },
  };
}
