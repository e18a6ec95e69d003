// What the scrub may say of a store that nobody damages: nothing, except that a commit never reached the log, and this only of
// streams of which a fault took a record away for good. At the end nothing may be open.

import type { Change, Item } from './change.ts';
import type { Violations } from './violations.ts';

export interface ScrubChecks {
  onChange(change: Change): void;
  /** `isLost`: a fault took a record of this stream away that nobody repeats. */
  judge(isLost: (streamId: string) => boolean): void;
  finish(recovery: readonly Item[]): void;
  /** It has found anything so far. */
  hasFound(): boolean;
}

export function createScrubChecks(violations: Violations, wasDamaged: (streamId: string) => boolean): ScrubChecks {
  const unsequenced = new Set<string>();
  return {
    hasFound: () => unsequenced.size > 0,
    onChange: ({ after }) => {
      if (after?.pk !== 'finding') return;
      const { kind, streamId, from, to, detail } = after;
      if (kind === 'unsequenced-commit') unsequenced.add(String(streamId));
      else if (!wasDamaged(String(streamId)))
        violations.report('false-damage', `${kind} ${streamId} ${from}-${to}: ${detail}`);
    },
    judge: (isLost) => {
      for (const streamId of unsequenced) {
        if (!isLost(streamId)) violations.report('false-damage', `no record of ${streamId} was lost`);
      }
    },
    finish: (recovery) => {
      for (const { pk, kind, status, streamId, from } of recovery) {
        if (pk === 'finding' && status === 'open') violations.report('damage-left-open', `${kind} ${streamId} ${from}`);
      }
    },
  };
}
