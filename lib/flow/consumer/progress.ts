// What a save writes by itself when versions were resolved: version, count and digest move together; what was about a
// version that is now resolved goes away with it. Pure.

import type { Checkpoint, Outcome } from '../../model/checkpoint.ts';
import type { Version } from '../../model/ids.ts';
import type { Write } from '../../platform/dynamodb/port.ts';
import { foldDigest } from '../checkpoint/digest.ts';
import type { CheckpointChange } from '../checkpoint/port.ts';

/** One version whose fate is decided, not yet stored. */
export interface Resolution {
  version: Version;
  commitHash: string;
  outcome: Outcome;
  /** What `react` of a transactional consumer returned. */
  writes: readonly Write[];
}

/** `fields` win over what follows from the resolutions. */
export function changeFor(
  stored: Checkpoint,
  resolved: readonly Resolution[],
  fields: CheckpointChange,
): CheckpointChange {
  const last = resolved.at(-1);
  if (last === undefined) return fields;
  const { version } = last;
  const isBehind = (about: { version: Version } | undefined) => about !== undefined && about.version <= version;
  return {
    version,
    resolvedCount: stored.resolvedCount + resolved.length,
    resolvedDigest: resolved.reduce(
      (digest, { version: one, commitHash, outcome }) => foldDigest(digest, one, commitHash, outcome),
      stored.resolvedDigest,
    ),
    ...(isBehind(stored.attempting) && { attempting: null }),
    ...(isBehind(stored.redriving) && { redriving: null }),
    ...(stored.replay !== undefined && stored.replay.until <= version && { replay: null }),
    ...fields,
  };
}

/** The checkpoint after the change was stored. */
export function afterChange(stored: Checkpoint, change: CheckpointChange, now: number): Checkpoint {
  const { release, mode, leaseUntil, ...fields } = change;
  const next: Record<string, unknown> = { ...stored, updatedAt: now };
  for (const [name, value] of Object.entries(fields)) {
    if (value === null) delete next[name];
    else if (value !== undefined) next[name] = value;
  }
  if (release !== undefined) delete next.lease;
  else if (stored.lease !== undefined) {
    next.lease = { ...stored.lease, ...(mode && { mode }), ...(leaseUntil !== undefined && { until: leaseUntil }) };
  }
  return next as unknown as Checkpoint;
}
