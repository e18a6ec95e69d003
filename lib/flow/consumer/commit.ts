// Storing what was resolved: one save when it can be one, split when DynamoDB refuses to take several events' writes
// together. When it returns, everything before the event that it names is stored, and nothing from that event on.

import type { CheckpointChange } from '../checkpoint/port.ts';
import { checkPassed } from './old-code.ts';
import { RefusedWritesError } from './react-once.ts';
import { count, countResolved, keepPending, type NextEvent, type PendingResolution, type StreamRun } from './run.ts';

export type Committed =
  | { kind: 'stored' }
  /** Only with a conditional release: nothing was stored. */
  | { kind: 'wanted-more' }
  /** The writes of this event were refused. */
  | { kind: 'refused'; next: NextEvent; error: RefusedWritesError; permanent: boolean };

/** Stores `run.pending` with `fields`, and forgets it. After `wanted-more`, what was not stored is still pending. */
export async function commitPending(run: StreamRun, fields: CheckpointChange = {}): Promise<Committed> {
  const resolved = run.pending;
  if (resolved.length === 0 && Object.keys(fields).length === 0) return { kind: 'stored' };
  await checkPassed(run);
  const committed = await commit(run, resolved, fields);
  const isOpen = ({ version }: PendingResolution) => version > run.session.stored.version;
  keepPending(run, committed.kind === 'wanted-more' ? resolved.filter(isOpen) : []);
  run.storedAt = run.batch.engine.world.clock.now();
  return committed;
}

async function commit(
  run: StreamRun,
  resolved: readonly PendingResolution[],
  fields: CheckpointChange,
): Promise<Committed> {
  const writes = resolved.flatMap((resolution) => resolution.writes);
  const saved = await run.session.save({ resolved, fields, writes });
  switch (saved.kind) {
    case 'saved':
      countResolved(run.batch.engine, resolved);
      return { kind: 'stored' };
    case 'wanted-more':
      return saved;
    case 'guard-refused':
      throw new Error('a save without guards was refused by one');
    case 'refused': {
      const [first] = saved.reasons;
      const guilty = ownerOfWrite(resolved, Math.min(...saved.reasons.map(({ index }) => index)));
      const culprit = resolved[guilty] as PendingResolution;
      const alone = resolved.filter((resolution) => resolution.writes.length > 0).length === 1;
      if (!alone) return commitSplit(run, resolved, Math.max(1, guilty), fields);
      const error = new RefusedWritesError(first?.code ?? 'Refused', `writes of react: ${first?.message}`);
      return refusedAt(run, resolved, guilty, { kind: 'refused', next: culprit, error, permanent: false });
    }
    case 'rejected': {
      const withWrites = resolved.filter((resolution) => resolution.writes.length > 0);
      if (withWrites.length > 1) return commitSplit(run, resolved, Math.ceil(resolved.length / 2), fields);
      const guilty = resolved.findIndex((resolution) => resolution.writes.length > 0);
      const culprit = resolved[guilty];
      if (culprit === undefined) throw new Error(`a save without writes was rejected: ${saved.code} ${saved.message}`);
      const error = new RefusedWritesError(saved.code, `writes of react: ${saved.message}`);
      const permanent = saved.code === 'ValidationException';
      return refusedAt(run, resolved, guilty, { kind: 'refused', next: culprit, error, permanent });
    }
  }
}

/** The event to which the n-th write of all belongs. */
function ownerOfWrite(resolved: readonly PendingResolution[], index: number): number {
  let seen = 0;
  return resolved.findIndex((resolution) => {
    seen += resolution.writes.length;
    return index < seen;
  });
}

async function commitSplit(
  run: StreamRun,
  resolved: readonly PendingResolution[],
  at: number,
  fields: CheckpointChange,
): Promise<Committed> {
  count(run.batch.engine, 'GroupsSplit');
  run.isUngrouped = true;
  const first = await commit(run, resolved.slice(0, at), {});
  return first.kind === 'stored' ? commit(run, resolved.slice(at), fields) : first;
}

/** What stands before the guilty event has no writes left to refuse: store it, so that only the guilty one is tried again. */
async function refusedAt(
  run: StreamRun,
  resolved: readonly PendingResolution[],
  guilty: number,
  refused: Extract<Committed, { kind: 'refused' }>,
): Promise<Committed> {
  if (guilty > 0) await commit(run, resolved.slice(0, guilty), {});
  return refused;
}
