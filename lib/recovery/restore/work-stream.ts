// Repairs one stream: every item that has to go is put into the quarantine first; each write is conditional on exactly what was
// seen and carries its audit row in the same transaction; commits that somebody was told are stored are appended again at the
// restored head. Dying anywhere is safe: the next try looks again, and finds less to do.

import type { StoredCommit } from '../../model/commit.ts';
import type { StreamId } from '../../model/ids.ts';
import type { World } from '../../platform/clock.ts';
import { cancellation } from '../../platform/dynamodb/failures.ts';
import type { Dynamo, Write } from '../../platform/dynamodb/port.ts';
import type { Logger } from '../../platform/logging.ts';
import type { Objects } from '../archive/objects.ts';
import type { Audit } from '../audit/audit.ts';
import { chooseCopies } from './choose.ts';
import type { Copies } from './copies.ts';
import { type LookDeps, lookAt } from './look.ts';
import { quarantine } from './quarantine.ts';
import { isStillAsSeen, type RawItem } from './raw-item.ts';
import { appendForks, type ReappendDeps } from './reappend.ts';
import type { Fork, RestoreRow, RestoreRows, StreamRow } from './rows.ts';
import { type Slot, type Survey, withoutUnknownEnd } from './survey.ts';
import { type TellDeps, tellOthers } from './tell-others.ts';

export interface WorkDeps extends LookDeps, ReappendDeps, TellDeps {
  dynamo: Dynamo;
  objects: Objects;
  audit: Pick<Audit, 'recordWrite'>;
  rows: Pick<RestoreRows, 'saveStream'>;
  world: Pick<World, 'clock' | 'timers' | 'random' | 'ids'>;
  logger: Logger;
}

/** A round that meets an item which somebody else changed looks again. */
const ROUNDS_MAX = 3;

export async function workOnStream(
  deps: WorkDeps,
  restore: RestoreRow,
  planned: StreamRow,
  copies: Copies,
  requestId: string,
): Promise<StreamRow> {
  let row = planned;
  const save = async (changes: Partial<StreamRow>): Promise<StreamRow> => {
    row = { ...row, ...changes };
    await deps.rows.saveStream(restore.id, row);
    return row;
  };
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const found = await lookAt(deps, row.streamId as StreamId);
    const survey = found && restore.discardUnknownEnd ? withoutUnknownEnd(found) : found;
    if (survey === undefined) return save({ status: 'not-found', versions: [] });
    if (survey.slots.length === 0) return finish(survey);
    if (!isAsPlanned(survey.slots, planned)) return save({ status: 'stale' });
    const chosen = chooseCopies(survey, await copies.of(survey));
    if (chosen.notFound.length > 0) {
      await writeVouchedFor(survey, chosen.commits);
      return save({ status: 'not-found', versions: chosen.notFound });
    }
    const forks = await putAside(survey);
    // What must be appended again is written down before it is taken away.
    if (forks.length > 0) await save({ forks: merged(row.forks, forks) });
    await write(survey, chosen.commits);
  }
  const last = await lookAt(deps, row.streamId as StreamId);
  if (last?.slots.length === 0) return finish(last);
  return save({ status: 'stale' });

  async function putAside({ slots, raw, streamId }: Survey): Promise<Fork[]> {
    const forks: Fork[] = [];
    for (const { version, seen } of slots) {
      const item = raw.get(version);
      if (seen === undefined || item === undefined) continue;
      const key = await quarantine(deps.objects, {
        restoreId: restore.id,
        streamId,
        version,
        digest: seen.digest,
        item,
      });
      if (seen.isCommit) forks.push({ version, count: Number(item.count), hash: String(item.hash), key });
    }
    return forks;
  }

  /** A stream that cannot be made whole: only what the log names is put back, and nothing that was acknowledged makes way. */
  async function writeVouchedFor(survey: Survey, commits: readonly StoredCommit[]): Promise<void> {
    const slots = survey.slots.filter(({ kind, seen }) => kind === 'known' && seen?.isCommit !== true);
    const versions = new Set(slots.map(({ version }) => version));
    await putAside({ ...survey, slots });
    await write(
      { ...survey, slots },
      commits.filter(({ version }) => versions.has(version)),
    );
  }

  /** From the end what nothing belongs to, then upwards what belongs there: a reader meets no commit before its predecessor. */
  async function write({ slots, raw, streamId }: Survey, commits: readonly StoredCommit[]): Promise<void> {
    const inTheWay = slots.filter((slot): slot is Extract<Slot, { kind: 'foreign' }> => slot.kind === 'foreign');
    for (const { version } of inTheWay.reverse()) {
      const seen = raw.get(version);
      const Key = { streamId, version };
      const written = await writeOne(
        { Delete: { TableName: deps.eventsTable, Key, ...isStillAsSeen(seen) } },
        { version, seen, action: 'restore-remove' },
      );
      if (!written) return;
    }
    for (const commit of commits) {
      const seen = raw.get(commit.version);
      const written = await writeOne(
        { Put: { TableName: deps.eventsTable, Item: { ...commit }, ...isStillAsSeen(seen) } },
        {
          version: commit.version,
          seen,
          after: commit.hash,
          action: seen === undefined ? 'restore-insert' : 'restore-overwrite',
        },
      );
      if (!written) return;
    }
  }

  /** False: somebody else changed the item meanwhile. */
  async function writeOne(
    change: Write,
    facts: { version: number; seen?: RawItem; after?: string; action: string },
  ): Promise<boolean> {
    const entry = deps.audit.recordWrite({
      action: facts.action,
      requestedBy: restore.requestedBy,
      reason: restore.reason,
      requestId,
      input: {
        restoreId: restore.id,
        streamId: row.streamId,
        version: facts.version,
        approvedBy: restore.approvedBy ?? '',
      },
      outcome: {
        before: facts.seen === undefined ? 'nothing' : String(facts.seen.hash),
        after: facts.after ?? 'nothing',
      },
    });
    try {
      await deps.dynamo.transactWrite({ TransactItems: [change, entry] });
    } catch (error) {
      if (cancellation(error)?.kind === 'refused') return false;
      throw error;
    }
    row = { ...row, written: row.written + 1 };
    return true;
  }

  async function finish(survey: Survey): Promise<StreamRow> {
    const forks = await appendForks(deps, row);
    const end = forks.reduce(
      (highest, { newVersion = 0, count }) => Math.max(highest, newVersion + count - 1),
      survey.end,
    );
    const checkpointsBeyond = await tellOthers(deps, { streamId: survey.streamId, end });
    return save({ status: 'done', forks, end, checkpointsBeyond });
  }
}

/** What is overwritten or removed must be what was approved; what is missing may be filled without. */
function isAsPlanned(slots: readonly Slot[], { changes }: StreamRow): boolean {
  const approved = new Set(changes.map(({ version, seenDigest }) => `${version} ${seenDigest}`));
  return slots.every(({ version, seen }) => seen === undefined || approved.has(`${version} ${seen.digest}`));
}

function merged(known: readonly Fork[], found: readonly Fork[]): Fork[] {
  const byHash = new Map([...found, ...known].map((fork) => [fork.hash, fork]));
  return [...byHash.values()].sort((a, b) => a.version - b.version);
}
