// What the scan says about one consumer and one stream, pure. Lagging, parked, gap and resolved are different answers: a
// stream that is on its way needs no help, a parked one waits for a human, only a gap is filled.

import type { Checkpoint } from '../../model/checkpoint.ts';
import { LEASE_MARGIN_MS } from '../lease/leases.ts';

export interface OwedEvents {
  /** First and last version of the wanted events that the scan knows of. */
  from: number;
  to: number;
  /** Milliseconds since 1970: when the first and the last of them became deliverable. */
  oldestAt: number;
  newestAt: number;
}

export interface StreamSigns {
  checkpoint: Pick<Checkpoint, 'version' | 'lease' | 'parked' | 'attempting' | 'rewind'> | undefined;
  owed: OwedEvents;
  /** Messages wait in the consumer's queue or are in flight. */
  queueActive: boolean;
  now: number;
}

export interface ScanBounds {
  /** Younger events are always on their way: the relay, the bus and the queue need a moment. @default 60,000 */
  graceMs: number;
  /** A queue with messages explains unresolved events up to this age, not longer. @default 15 minutes */
  lagBoundMs: number;
}

export const DEFAULT_BOUNDS: ScanBounds = { graceMs: 60_000, lagBoundMs: 15 * 60_000 };

export type StreamAnswer =
  | { kind: 'resolved' }
  | { kind: 'parked'; at: number; waiting: number }
  | { kind: 'lagging' | 'gap'; from: number; to: number; oldestAt: number };

export function decideStream({ checkpoint, owed, queueActive, now }: StreamSigns, bounds: ScanBounds): StreamAnswer {
  const { rewind, parked, lease, attempting } = checkpoint ?? {};
  // No checkpoint: nothing was resolved, and what lies before the first owed event is not this consumer's (`startFrom: now`,
  // a type that applies later). A rewind that waits for a lease holder counts as done: it takes the checkpoint back and
  // un-parks.
  const version = checkpoint?.version ?? owed.from - 1;
  const reached = Math.min(version, rewind?.to ?? version);
  if (reached >= owed.to) return { kind: 'resolved' };
  if (parked !== undefined && rewind === undefined)
    return { kind: 'parked', at: parked.version, waiting: owed.to - parked.version };

  // What this scan knows is all that is owed: wanted events before it are resolved or in the stream's row.
  const from = Math.max(reached + 1, owed.from);
  const oldestAt = reached < owed.from ? owed.oldestAt : owed.newestAt;
  const ageMs = now - oldestAt;
  const leased = lease !== undefined && lease.until + LEASE_MARGIN_MS >= now;
  const retryWaits = attempting?.retryAt !== undefined && attempting.retryAt + bounds.graceMs >= now;
  const onItsWay = leased || retryWaits || ageMs < bounds.graceMs || (queueActive && ageMs < bounds.lagBoundMs);
  return { kind: onItsWay ? 'lagging' : 'gap', from, to: owed.to, oldestAt };
}
