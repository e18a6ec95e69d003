// Repairs one stream: every item that has to go is put into the quarantine first; each write is conditional on exactly what was
// seen and carries its audit row in the same transaction; commits that somebody was told are stored are appended again at the
// restored head. Dying anywhere is safe: the next try looks again, and finds less to do.

import type { StoredCommit } from '../../model/commit.ts';
import { isEventRecoveryError, StreamDamagedError } from '../../model/errors.ts';
import type { StreamId } from '../../model/ids.ts';
import type { World } from '../../platform/clock.ts';
import { cancellation } from '../../platform/dynamodb/failures.ts';
import type { Dynamo, Write } from '../../platform/dynamodb/port.ts';
import type { Logger } from '../../platform/logging.ts';
import type { Objects } from '../archive/objects.ts';
import type { Audit } from '../audit/audit.ts';
import { type Chosen, chooseCopies } from './choose.ts';
import type { Copies } from './copies.ts';
import { directoryWrite, isDirectoryAsPlanned } from './directory-write.ts';
import { recordConflicts, recordOpenForks } from './fork-incidents.ts';
import { type LookDeps, lookAt } from './look.ts';
import { quarantine } from './quarantine.ts';
import { digestOf, hashOfStored, isStillAsSeen, type RawItem } from './raw-item.ts';
import { appendForks, type ReappendDeps } from './reappend.ts';
import type { Fork, RestoreRow, RestoreRows, StreamRow } from './rows.ts';
import { type Survey, standingIn, withoutUnknownEnd } from './slots.ts';
import { recordBeyond, type TellDeps, tellOthers } from './tell-others.ts';

export interface WorkDeps extends LookDeps, ReappendDeps, TellDeps {
  dynamo: Dynamo;
  objects: Objects;
  audit: Pick<Audit, 'recordWrite'>;
  rows: Pick<RestoreRows, 'saveStream' | 'openForks' | 'countWritten'>;
  world: Pick<World, 'clock' | 'timers' | 'random' | 'ids'>;
  logger: Logger;
}

/** A round that meets an item which somebody else changed looks again: producers may go on where the stream was cut off. */
const ROUNDS_MAX = 10;
const NOTE_MAX = 1_000;

export async function workOnStream(
  deps: WorkDeps,
  restore: RestoreRow,
  planned: StreamRow,
  copies: Copies,
  requestId: string,
): Promise<StreamRow> {
  const streamId = planned.streamId as StreamId;
  // What an earlier restore took away and could not append again is taken over.
  let row = { ...planned, forks: merged(planned.forks, await deps.rows.openForks(streamId)) };
  const save = async (changes: Partial<StreamRow>): Promise<StreamRow> => {
    row = { ...row, ...changes };
    await deps.rows.saveStream(restore.id, row);
    return row;
  };
  /** Not repaired: what was taken away already must not be forgotten. */
  const giveUp = async (changes: Partial<StreamRow>): Promise<StreamRow> => {
    await recordOpenForks(deps, row);
    await recordBeyond(deps, streamId, row.checkpointsBeyond ?? []);
    return save(changes);
  };
  try {
    return await repair();
  } catch (error) {
    if (!isEventRecoveryError(error) || error.retryable) throw error;
    deps.logger.error('a stream cannot be restored', { restoreId: restore.id, streamId, code: error.code });
    return giveUp({ status: 'failed', note: `${error.code}: ${error.message}`.slice(0, NOTE_MAX) });
  }

  async function repair(): Promise<StreamRow> {
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      const moved = new Set(row.forks.map(({ hash }) => hash));
      const found = await lookAt(deps, streamId, moved, planned.directory !== undefined);
      const survey = found && restore.discardUnknownEnd ? withoutUnknownEnd(found) : found;
      if (survey === undefined) return giveUp({ status: 'not-found', versions: [] });
      if (survey.directory !== undefined) {
        // First of all: a relay that is woken up would sequence again what it does not know to be sequenced.
        if (!isDirectoryAsPlanned(survey, planned)) return giveUp({ status: 'stale' });
        await repairDirectory(survey.directory);
        continue;
      }
      if (survey.slots.length === 0) {
        const finished = await finish(survey);
        if (finished !== undefined) return finished;
        continue;
      }
      if (!isAsPlanned(survey, planned, moved)) return giveUp({ status: 'stale' });
      const chosen = chooseCopies(survey, await copies.of(survey));
      if (chosen.notFound.length > 0) {
        await writeVouchedFor(survey, chosen.commits);
        return giveUp({ status: 'not-found', versions: chosen.notFound });
      }
      const forks = await putAside(survey, chosen.commits);
      // What must be appended again is written down before it is taken away.
      if (forks.length > 0) await save({ forks: merged(row.forks, forks) });
      await write(survey, chosen);
    }
    return giveUp({ status: 'stale' });
  }

  async function repairDirectory(directory: NonNullable<Survey['directory']>): Promise<void> {
    const { repair, seen } = directory;
    const facts = { version: 0, ...(seen && { seen }), after: repair.hashPrefix, action: 'restore-directory' };
    if (seen !== undefined) {
      const digest = digestOf(seen);
      await quarantine(deps.objects, { restoreId: restore.id, streamId, version: 0, digest, item: seen });
    }
    await writeOne(directoryWrite(deps.logTable, streamId, directory), facts);
  }

  /** Answers the commits that make way for others. */
  async function putAside({ slots, raw }: Survey, commits: readonly StoredCommit[]): Promise<Fork[]> {
    const stays = new Set(commits.map(({ hash }) => hash));
    const forks: Fork[] = [];
    for (const { version, seen } of slots.flatMap(standingIn)) {
      const item = raw.get(version) as RawItem;
      const key = await quarantine(deps.objects, {
        restoreId: restore.id,
        streamId,
        version,
        digest: seen.digest,
        item,
      });
      const hash = String(item.hash);
      if (seen.isCommit && !stays.has(hash)) forks.push({ version, count: Number(item.count), hash, key });
    }
    return forks;
  }

  /** A stream that cannot be made whole: only what the log names is put back, and nothing that was acknowledged makes way. */
  async function writeVouchedFor(survey: Survey, commits: readonly StoredCommit[]): Promise<void> {
    const slots = survey.slots.filter((slot) => slot.kind === 'known' && slot.seen?.isCommit !== true);
    const versions = new Set(slots.map(({ version }) => version));
    await putAside({ ...survey, slots }, commits);
    await write(survey, { commits: commits.filter(({ version }) => versions.has(version)), removals: [] });
  }

  /** From the end what nothing belongs to, then upwards what belongs there: a reader meets no commit before its predecessor. */
  async function write({ raw }: Survey, { commits, removals }: Pick<Chosen, 'commits' | 'removals'>): Promise<void> {
    for (const version of removals) {
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
        ...(facts.seen === undefined
          ? { before: 'nothing' }
          : // What its bytes give, what it said of itself, and all of it, as the quarantine's key has it.
            { before: hashOfStored(facts.seen), storedHash: String(facts.seen.hash), digest: digestOf(facts.seen) }),
        after: facts.after ?? 'nothing',
      },
    });
    try {
      const counted = deps.rows.countWritten(restore.id, streamId);
      await deps.dynamo.transactWrite({ TransactItems: [change, entry, counted] });
    } catch (error) {
      if (cancellation(error)?.kind === 'refused') return false;
      throw error;
    }
    row = { ...row, written: row.written + 1 };
    return true;
  }

  /** Undefined: somebody appended where the stream was cut off; look again. */
  async function finish(survey: Survey): Promise<StreamRow | undefined> {
    try {
      for await (const forks of appendForks(deps, row)) row = { ...row, forks };
    } catch (error) {
      if (error instanceof StreamDamagedError) return undefined;
      throw error;
    }
    const { forks } = row;
    const end = forks.reduce(
      (highest, { newVersion = 0, count }) => Math.max(highest, newVersion + count - 1),
      survey.end,
    );
    const checkpointsBeyond = await tellOthers(deps, { streamId, end, forks });
    await recordConflicts(deps, row);
    return save({ status: 'done', forks, end, checkpointsBeyond });
  }
}

/**
 * What is overwritten or removed must be what was approved; what is missing may be filled without. A commit that was appended
 * on one that has made way already follows it: its events are appended again, nothing of it is lost.
 */
function isAsPlanned({ slots, raw }: Survey, { changes }: StreamRow, moved: ReadonlySet<string>): boolean {
  const approved = new Set(changes.map(({ version, seenDigest }) => `${version} ${seenDigest}`));
  const goes = new Set(moved);
  return slots.flatMap(standingIn).every(({ version, seen }) => {
    if (approved.has(`${version} ${seen.digest}`)) return true;
    const { previousHash, hash } = raw.get(version) ?? {};
    if (!seen.isCommit || !goes.has(String(previousHash))) return false;
    goes.add(String(hash));
    return true;
  });
}

/** In the order in which they were met: what was appended on a fork meanwhile comes after it. */
function merged(known: readonly Fork[], found: readonly Fork[]): Fork[] {
  const hashes = new Set(known.map(({ hash }) => hash));
  return [...known, ...found.filter(({ hash }) => !hashes.has(hash))];
}
