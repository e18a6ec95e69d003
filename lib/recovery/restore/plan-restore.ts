// The plan: looks at each stream and writes down what is wrong and what would be changed. Reads only; nothing of a stream is
// touched. Bound to what it saw: `apply` overwrites and removes exactly these items, or nothing.

import { lastVersion } from '../../model/commit.ts';
import { EventRecoveryError, InvalidInputError, isEventRecoveryError } from '../../model/errors.ts';
import { streamId as checkStreamId, type StreamId } from '../../model/ids.ts';
import type { World } from '../../platform/clock.ts';
import type { Audit } from '../audit/audit.ts';
import { nothingAnswer, type RefusedStream, type RestoreAnswer, restoreAnswer } from './answer.ts';
import type { DamagedStream } from './damaged-streams.ts';
import { type LookDeps, lookAt } from './look.ts';
import type { PointInTime } from './point-in-time.ts';
import { type PlanRequest, STREAMS_MAX } from './request.ts';
import type { Fork, PlannedChange, RestoreRow, RestoreRows, StreamRow } from './rows.ts';
import { lastStanding, type Slot, type Standing, type Survey, standingIn, withoutUnknownEnd } from './slots.ts';
import { checkpointsBeyond, type TellDeps } from './tell-others.ts';

export interface PlanDeps extends LookDeps, Pick<TellDeps, 'checkpoints' | 'consumers'> {
  rows: Pick<RestoreRows, 'create' | 'openForks'>;
  audit: Pick<Audit, 'record'>;
  pointInTime: Pick<PointInTime, 'window'>;
  /** Streams with open findings of the scrub. */
  damagedStreams(): AsyncIterable<DamagedStream>;
  world: Pick<World, 'clock' | 'timers' | 'random' | 'ids'>;
}

/** A row has at most 400 KB; a change takes about 300 bytes, a fork as many once more when it is put aside. */
const CHANGES_MAX = 1_000;

/** Findings with ids that no stream has. */
const REFUSED_MAX = 200;

/** @throws EventRecoveryError `UNKNOWN_STREAM`, `RESTORE_TIME_OUTSIDE_WINDOW`, `RESTORE_TIME_REQUIRED`, `TOO_MUCH_DAMAGE` */
export async function planRestore(deps: PlanDeps, request: PlanRequest, requestId: string): Promise<RestoreAnswer> {
  const streams: StreamRow[] = [];
  let youngest: number | undefined;
  let needsCopies = false;
  const refused: RefusedStream[] = [];
  const wanted = await streamsOf(deps, request, refused);
  for (const streamId of wanted.streams) {
    const forks = await deps.rows.openForks(streamId);
    const found = await lookOrRefuse(
      deps,
      request,
      { streamId, isDoubted: wanted.doubted.has(streamId) },
      forks,
      refused,
    );
    if (found === undefined) continue;
    const survey = request.discardUnknownEnd ? withoutUnknownEnd(found) : found;
    const row = await rowOf(deps, survey, forks);
    if (row === undefined) continue;
    streams.push(row);
    for (const slot of survey.slots) {
      needsCopies ||= slot.kind !== 'foreign';
      if (slot.kind === 'known') youngest = Math.max(youngest ?? 0, slot.recordedAt);
    }
  }
  const rest = { refused, ...(wanted.isCut && { moreDamaged: true as const }) };
  if (streams.length === 0) return { ...nothingAnswer(), ...rest };
  const restoreTo =
    request.source === 'point-in-time' && needsCopies ? await timeOf(deps, request, youngest) : undefined;
  const now = deps.world.clock.now();
  const row: RestoreRow = {
    id: deps.world.ids.next(),
    status: 'planned',
    source: request.source,
    ...(restoreTo !== undefined && { restoreTo }),
    ...(request.discardUnknownEnd && { discardUnknownEnd: true }),
    streams: streams.length,
    requestedBy: request.requestedBy,
    reason: request.reason,
    copies: 0,
    createdAt: now,
    updatedAt: now,
  };
  await deps.rows.create(row, streams);
  const answer = { ...restoreAnswer(row, streams), ...rest };
  const { requestedBy, reason, ...input } = request;
  const outcome = { planId: row.id, ...answer.totals };
  await deps.audit.record({ action: 'restore-plan', requestedBy, reason, requestId, input, outcome });
  return answer;
}

/** Of many findings one must not keep the others from being repaired; who names a stream wants to know. */
async function lookOrRefuse(
  deps: PlanDeps,
  { streams, searchLog }: PlanRequest,
  { streamId, isDoubted }: { streamId: StreamId; isDoubted: boolean },
  forks: readonly Fork[],
  refused: RefusedStream[],
): Promise<Survey | undefined> {
  try {
    const found = await lookAt(deps, streamId, new Set(forks.map(({ hash }) => hash)), searchLog || isDoubted);
    if (found === undefined) throw unknownStream(streamId);
    return found;
  } catch (error) {
    if (streams !== undefined || !isEventRecoveryError(error) || error.retryable) throw error;
    refused.push({ streamId, code: error.code, message: error.message });
    return undefined;
  }
}

async function streamsOf(deps: PlanDeps, { streams }: PlanRequest, refused: RefusedStream[]): Promise<WantedStreams> {
  const named = streams && new Set(streams.map(checkStreamId));
  const found = new Set<StreamId>(named);
  const doubted = new Set<string>();
  const strange = new Set<string>();
  let isCut = false;
  for await (const { streamId, isDirectory } of deps.damagedStreams()) {
    if (isDirectory) doubted.add(streamId);
    if (named !== undefined || found.has(streamId as StreamId) || strange.has(streamId)) continue;
    if (found.size === STREAMS_MAX || strange.size === REFUSED_MAX) {
      isCut = true;
      continue;
    }
    try {
      found.add(checkStreamId(streamId));
    } catch (error) {
      if (!isEventRecoveryError(error)) throw error;
      strange.add(streamId);
      refused.push({ streamId, code: error.code, message: error.message });
    }
  }
  return { streams: [...found], doubted, isCut };
}

interface WantedStreams {
  streams: StreamId[];
  /** The scrub says that their directory items do not fit to the log. */
  doubted: ReadonlySet<string>;
  /** There are findings of more streams. */
  isCut: boolean;
}

/** Undefined: there is nothing to do. */
async function rowOf(deps: PlanDeps, survey: Survey, forks: Fork[]): Promise<StreamRow | undefined> {
  const { streamId, slots, links, sequenced } = survey;
  const changes = slots.flatMap((slot) => standingIn(slot).map((standing) => changeOf(slot, standing)));
  const kept = changes.filter(({ isFork }) => isFork).length + forks.length;
  if (changes.length + kept > CHANGES_MAX) throw tooMuch(streamId, changes.length, kept);
  const unsequenced = [...links.values()].filter((link) => lastVersion(link) > sequenced).length;
  const beyond = await checkpointsBeyond(deps, streamId, repairedEnd(survey));
  const directory = survey.directory?.repair;
  const isSound = slots.length === 0 && directory === undefined && forks.length === 0;
  if (isSound && unsequenced === 0 && beyond.length === 0) return undefined;
  return {
    streamId,
    status: 'planned',
    inserts: slots.filter((slot) => standingIn(slot)[0]?.version !== slot.version).length,
    changes,
    unsequenced,
    ...(directory && { directory }),
    // Taken away by an earlier restore, which could not append them again.
    forks,
    written: 0,
    ...(beyond.length > 0 && { checkpointsBeyond: beyond }),
  };
}

/** The last version that the stream has, or had before it was damaged, as far as anything tells. */
const repairedEnd = ({ end, sequenced, slots }: Survey): number =>
  slots.reduce(
    (highest, slot) => (slot.kind === 'unknown' ? Math.max(highest, slot.to ?? lastStanding(slot)) : highest),
    Math.max(end, sequenced),
  );

const changeOf = (slot: Slot, { version, seen }: Standing): PlannedChange => ({
  version,
  action: actionOf(slot, version),
  seenDigest: seen.digest,
  ...(seen.hash !== undefined && { seenHash: seen.hash }),
  ...(slot.kind === 'known' && { expectedHash: slot.hashPrefix }),
  isFork: seen.isCommit,
});

/** Where only copies will tell which commits a place held, nobody knows yet what stands in the way of them. */
function actionOf(slot: Slot, version: number): PlannedChange['action'] {
  if (slot.kind === 'foreign') return 'remove';
  const isSure = slot.kind === 'known' || (version === slot.version && slot.isGarbageAllowed !== true);
  return isSure ? 'overwrite' : 'overwrite-or-remove';
}

/** Whole seconds, because DynamoDB restores to seconds. */
async function timeOf(deps: PlanDeps, request: PlanRequest, youngest: number | undefined): Promise<number> {
  const window = await deps.pointInTime.window();
  const wanted = request.restoreTo ?? (youngest === undefined ? undefined : youngest + 1_000);
  if (wanted === undefined) {
    throw new InvalidInputError('RESTORE_TIME_REQUIRED', {
      what: 'restoreTo',
      got: undefined,
      allowed: 'milliseconds since 1970: a time after the commits were appended and before they were damaged',
      remedy: 'the log does not know these commits, so it cannot tell when they were appended: name the time',
    });
  }
  const restoreTo = Math.ceil(wanted / 1_000) * 1_000;
  if (window !== undefined && restoreTo >= window.earliest && restoreTo <= window.latest) return restoreTo;
  throw new InvalidInputError('RESTORE_TIME_OUTSIDE_WINDOW', {
    what: 'restoreTo',
    got: new Date(restoreTo).toISOString(),
    allowed:
      window === undefined
        ? 'none: the Events table has no point-in-time recovery'
        : `from ${new Date(window.earliest).toISOString()} to ${new Date(window.latest).toISOString()}`,
    remedy: 'older commits are in the archive: plan with "source": "archive"',
  });
}

export const unknownStream = (streamId: string): InvalidInputError =>
  new InvalidInputError('UNKNOWN_STREAM', {
    what: 'stream',
    got: streamId,
    allowed: 'a stream that the store or the log knows',
    remedy: 'look at the findings: npx event-recovery scrub, or event-recovery verify',
  });

const tooMuch = (streamId: string, changes: number, kept: number): EventRecoveryError =>
  new EventRecoveryError(
    'TOO_MUCH_DAMAGE',
    `stream "${streamId}" holds ${changes} items that would be overwritten or removed, and ${kept} acknowledged commits among them or set aside, a plan takes at most ${CHANGES_MAX} of both together; remedy: restore the whole table beside this one (aws dynamodb restore-table-to-point-in-time) and compare`,
    { facts: { streamId, changes, kept, allowed: CHANGES_MAX } },
  );
