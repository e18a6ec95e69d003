// The copies that a restore needs: found in the archive, or a side table that DynamoDB makes. Nothing is written to a stream yet.

import { isEventRecoveryError } from '../../model/errors.ts';
import type { StreamId } from '../../model/ids.ts';
import { type LookDeps, lookAt } from './look.ts';
import { type PointInTime, SIDE_TABLE_POLL_MS, sideTableName } from './point-in-time.ts';
import type { RestoreRow, RestoreRows } from './rows.ts';
import { type SearchDeps, searchArchive } from './search-archive.ts';
import type { Survey } from './slots.ts';

export interface FetchDeps extends LookDeps, SearchDeps {
  rows: Pick<RestoreRows, 'streams'>;
  pointInTime: PointInTime;
}

/** Changes a restore's row. Undefined: somebody else has changed it meanwhile. */
export type Become = (row: RestoreRow, changes: Partial<RestoreRow>) => Promise<RestoreRow | undefined>;

/** Undefined: it cannot go on now. The same row: it waits for its side table. */
export async function fetchCopies(
  deps: FetchDeps,
  row: RestoreRow,
  remainingMs: () => number,
  become: Become,
): Promise<RestoreRow | undefined> {
  const surveys = await surveysOf(deps, row);
  if (surveys.every(({ slots }) => slots.every(({ kind }) => kind === 'foreign')))
    return become(row, { status: 'writing' });
  return row.source === 'archive' ? search(deps, row, surveys, remainingMs, become) : sideTable(deps, row, become);
}

async function search(
  deps: FetchDeps,
  row: RestoreRow,
  surveys: readonly Survey[],
  remainingMs: () => number,
  become: Become,
): Promise<RestoreRow | undefined> {
  let current: RestoreRow | undefined = row;
  const searched = await searchArchive(deps, row, surveys, remainingMs, async (progress) => {
    current = current && (await become(current, progress));
    return current !== undefined;
  });
  if (searched.kind !== 'over' || current === undefined) return undefined;
  const note = searched.isEmpty ? { note: 'ARCHIVE_EMPTY: the archive holds no completed export yet' } : {};
  return become(current, { status: 'writing', ...note });
}

async function sideTable(deps: FetchDeps, row: RestoreRow, become: Become): Promise<RestoreRow | undefined> {
  // Written down before it exists: whatever dies, the row knows which table is to be dropped.
  if (row.sideTable === undefined) return become(row, { sideTable: sideTableName(deps.eventsTable, row.id) });
  const state = await deps.pointInTime.state(row.sideTable);
  if (state === 'ready') return become(row, { status: 'writing' });
  if (state === 'absent') await deps.pointInTime.restore(row.sideTable, row.restoreTo ?? 0);
  await deps.world.timers.sleep(SIDE_TABLE_POLL_MS);
  return row;
}

/** Copies are looked for of garbage too: only what has none may be discarded. */
async function surveysOf(deps: FetchDeps, row: RestoreRow): Promise<Survey[]> {
  const surveys: Survey[] = [];
  for await (const { streamId, status, directory } of deps.rows.streams(row.id)) {
    if (status !== 'planned') continue;
    try {
      const survey = await lookAt(deps, streamId as StreamId, undefined, directory !== undefined);
      if (survey !== undefined) surveys.push(survey);
    } catch (error) {
      // It fails by itself when it is its turn: the others need their copies.
      if (!isEventRecoveryError(error) || error.retryable) throw error;
    }
  }
  return surveys;
}
