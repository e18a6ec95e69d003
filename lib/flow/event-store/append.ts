// Appends a commit with one conditional put, after as few reads as safety allows: none when this process knows the head,
// otherwise the last commit and the stream directory. A lost answer is never guessed at: the same item is put again, and
// the commit that stands in the way tells whether it is ours.

import { type Commit, lastVersion, type StoredCommit } from '../../model/commit.ts';
import { ConcurrencyError, EventRecoveryError, StreamDamagedError } from '../../model/errors.ts';
import type { StreamId, Version } from '../../model/ids.ts';
import type { World } from '../../platform/clock.ts';
import { jitteredDelayMs } from '../../platform/retry.ts';
import type { DirectoryEntry, Log } from '../log/port.ts';
import { eventsIn } from './coding.ts';
import type { CommitTable } from './commit-table.ts';
import { damageBelow, decideOnFound, decideOnHead, expectedEnd, type Floor, isEnough } from './decide-append.ts';
import { outcomeUnknown, readFailure } from './failures.ts';
import { verifyCommit } from './hash.ts';
import { type Head, type HeadCache, headOf } from './head.ts';
import { newCommit, type PreparedAppend } from './new-commit.ts';
import type { AppendResult } from './port.ts';
import { putCommit } from './put-commit.ts';

export interface AppendDependencies {
  table: CommitTable;
  log: Pick<Log, 'directory'>;
  /** Only heads that were compared with the directory, or that this process wrote. */
  heads: HeadCache;
  world: Pick<World, 'clock' | 'timers' | 'random'>;
}

/**
 * Tries of an append without a fixed version ('any', 'stream-exists'). Each lost race means that somebody else succeeded, so
 * 24 tries are enough for 24 contenders with one append each, and the waits of up to 500 ms make room for more.
 */
export const CONTENDED_TRIES = 24;
/** One put takes 5 to 10 ms. */
const CONTENDED_BASE_DELAY_MS = 10;
const CONTENDED_MAX_DELAY_MS = 500;

/** @throws ConcurrencyError, StreamDamagedError, EventRecoveryError `EVENT_ID_REUSED`, `APPEND_CONTENDED`, `APPEND_OUTCOME_UNKNOWN`, `STORE_*` */
export async function append(
  deps: AppendDependencies,
  prepared: PreparedAppend,
  signal?: AbortSignal,
): Promise<AppendResult> {
  const { streamId, expected } = prepared;
  let known = deps.heads.get(streamId);
  for (let tries = 1; ; tries += 1) {
    signal?.throwIfAborted();
    const place = isEnough(expected, known) ? { after: known } : await lookForPlace(deps, prepared, known);
    if ('repeated' in place) return place.repeated;
    const result = await writeAfter(deps, prepared, place.after, signal);
    if (result !== undefined) return result;
    // Somebody else took the place. Where the stream ends now is the actual version, and the next place to try.
    const { head } = await readHead(deps, streamId, place.after);
    known = head;
    if (expectedEnd(expected) !== undefined) throw new ConcurrencyError(streamId, expected, head.version);
    if (tries >= CONTENDED_TRIES) throw contended(streamId);
    await pause(deps, tries, signal);
  }
}

/** Where to write, or the result of this append's earlier try. */
type Place = { after: Head } | { repeated: AppendResult };

/** Reads where the stream ends, and decides. */
async function lookForPlace(
  deps: AppendDependencies,
  prepared: PreparedAppend,
  known: Head | undefined,
): Promise<Place> {
  const { streamId, expected } = prepared;
  const { head, last } = await readHead(deps, streamId, known);
  const decision = decideOnHead(expected, head);
  if (decision.kind === 'write') return { after: head };
  if (decision.kind === 'conflict') throw new ConcurrencyError(streamId, expected, head.version);
  const { version } = decision;
  const stored = last?.version === version ? last : await deps.table.containing(streamId, version);
  const repeated = judge(prepared, version as Version, stored, head.version);
  if (repeated === undefined) throw new ConcurrencyError(streamId, expected, head.version);
  return { repeated };
}

/** The write, or undefined when the place is taken by somebody else. */
async function writeAfter(
  deps: AppendDependencies,
  prepared: PreparedAppend,
  head: Head,
  signal: AbortSignal | undefined,
): Promise<AppendResult | undefined> {
  const { table, heads, world } = deps;
  const { streamId } = prepared;
  const version = (head.version + 1) as Version;
  const recordedAt = Math.max(Math.trunc(world.clock.now()), head.recordedAt);
  const commit = newCommit(prepared, { version, recordedAt, previousHash: head.hash });
  const answer = await putCommit(table, commit, world, signal);
  if (answer.kind === 'stored') {
    heads.raise(streamId, headOf(commit));
    return resultOf(commit, false);
  }
  return judge(prepared, version, answer.found ?? (await readTaken(table, streamId, version)), version);
}

/** The commit in the way, when the refusal did not bring it along. Without it nobody knows whose it is. */
async function readTaken(table: CommitTable, streamId: StreamId, version: Version): Promise<StoredCommit | undefined> {
  try {
    return await table.containing(streamId, version);
  } catch (error) {
    throw outcomeUnknown(error, streamId, version);
  }
}

/** What stands where this append should begin: its earlier try (the result), somebody else's (undefined), or a reason to stop. */
function judge(
  { streamId, source }: PreparedAppend,
  version: Version,
  stored: StoredCommit | undefined,
  end: number,
): AppendResult | undefined {
  const found = stored && verifyCommit(stored);
  const decision = decideOnFound(eventsIn(source), version, found);
  switch (decision.kind) {
    case 'repeated':
      return resultOf(found as Commit, true);
    case 'other':
      return undefined;
    case 'hole':
      throw new StreamDamagedError(streamId, version, `no commit holds it, but the stream goes on to version ${end}`);
    case 'id-reused':
      throw idReused(streamId, (found as Commit).version, decision);
  }
}

/**
 * Where the stream ends now: its last commit, verified. It must not lie below what the directory, or else this process,
 * knows of the stream.
 */
async function readHead(
  { table, log, heads }: AppendDependencies,
  streamId: StreamId,
  known: Head | undefined,
): Promise<{ head: Head; last: StoredCommit | undefined }> {
  let last: StoredCommit | undefined;
  let floor: Floor | undefined;
  if (known !== undefined) {
    last = await table.last(streamId);
    floor = { version: known.version, hashPrefix: known.hash, knownBy: 'this process' };
  } else {
    const [read, entry] = await Promise.all([table.last(streamId), readDirectory(log, streamId)]);
    // Both were read at once: what the directory has seen later may be in the table by now.
    last = entry !== undefined && entry.version > headOf(read).version ? await table.last(streamId) : read;
    floor = entry && { ...entry, knownBy: 'the stream directory' };
  }
  const head = headOf(last && verifyCommit(last));
  const damage = floor && damageBelow(head, floor);
  if (damage !== undefined) throw new StreamDamagedError(streamId, damage.version, damage.damage);
  heads.raise(streamId, head);
  return { head, last };
}

async function readDirectory(log: Pick<Log, 'directory'>, streamId: StreamId): Promise<DirectoryEntry | undefined> {
  try {
    return (await log.directory([streamId])).get(streamId);
  } catch (error) {
    throw readFailure(error, 'the stream directory');
  }
}

const resultOf = (commit: Omit<Commit, 'events'>, repeated: boolean): AppendResult => ({
  streamId: commit.streamId,
  firstVersion: commit.version,
  version: lastVersion(commit),
  hash: commit.hash,
  recordedAt: commit.recordedAt,
  repeated,
});

const pause = ({ world }: AppendDependencies, tries: number, signal: AbortSignal | undefined): Promise<void> => {
  const bounds = { baseDelayMs: CONTENDED_BASE_DELAY_MS, maxDelayMs: CONTENDED_MAX_DELAY_MS, random: world.random };
  return world.timers.sleep(jitteredDelayMs(tries, bounds), signal);
};

const idReused = (
  streamId: string,
  version: number,
  { ids, difference }: { ids: string[]; difference: string },
): EventRecoveryError =>
  new EventRecoveryError(
    'EVENT_ID_REUSED',
    `stream "${streamId}": the commit at version ${version} already has ${ids.length === 1 ? 'an event' : `${ids.length} events`} of this append by id ("${ids[0]}"), but not the same append: ${difference}; remedy: give new events new ids, and pass exactly the same events when you try again`,
    { facts: { streamId, version, ids, difference } },
  );

const contended = (streamId: string): EventRecoveryError =>
  new EventRecoveryError(
    'APPEND_CONTENDED',
    `stream "${streamId}": ${CONTENDED_TRIES} races in a row were lost to other appends; nothing was written; remedy: try again, or append to this stream from fewer places`,
    { retryable: true, facts: { streamId, tries: CONTENDED_TRIES } },
  );
