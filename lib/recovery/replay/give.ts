// One row of a plan to its consumer. A rewind is asked for in ONE transaction with the open-gap row of what it takes back, so
// that a crash before the wake-up leaves a trace that the next scan sees. Everything here may be done twice: the request is
// known by the replay's id, and so are redelivered events.

import type { CheckpointKey, Checkpoints } from '../../flow/checkpoint/port.ts';
import type { Checkpoint } from '../../model/checkpoint.ts';
import type { Version } from '../../model/ids.ts';
import { type QueueMessage, WAKE_UP_FORMAT } from '../../model/wake-up.ts';
import type { Clock } from '../../platform/clock.ts';
import { cancellation } from '../../platform/dynamodb/failures.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import type { OpenGap, OpenGaps } from '../gap/open-gaps.ts';
import type { PlannedStream } from '../plan/port.ts';
import { versionsOf } from '../plan/ranges.ts';
import type { Replay } from './port.ts';

export interface GiveDeps {
  dynamo: Dynamo;
  checkpoints: Pick<Checkpoints, 'get' | 'getMany' | 'rewindWrite'>;
  openGaps: Pick<OpenGaps, 'openWrite' | 'get' | 'getMany'>;
  /** The server clock. */
  clock: Clock;
}

/** `unchanged`: there is nothing to do for it any more. `busy`: somebody else's rewind waits there; look again later. */
export type Given = { kind: 'message'; message: QueueMessage } | { kind: 'unchanged' } | { kind: 'busy' };

type Task = Pick<Replay, 'consumer' | 'mode' | 'scope' | 'options'>;

/** A resume without effects: asked for on the checkpoint as a rewind is, so that no live delivery comes first and reacts. */
const isPass = ({ mode, options }: Task): boolean => mode === 'resume' && options.suppressEffects === true;

/** One for each row, in their order. Rows of different streams. */
export async function prepareRows(deps: GiveDeps, replay: Task, rows: readonly PlannedStream[]): Promise<Given[]> {
  if (replay.mode !== 'rewind' && !isPass(replay)) return Promise.all(rows.map((row) => prepareRow(deps, replay, row)));
  const { consumer } = replay;
  const streamIds = rows.map(({ streamId }) => streamId);
  const [checkpoints, gaps] = await Promise.all([
    deps.checkpoints.getMany(streamIds.map((streamId) => ({ consumer, streamId }))),
    deps.openGaps.getMany(consumer, streamIds),
  ]);
  const seen = new Map(checkpoints.map((one) => [one.streamId, one]));
  const recorded = new Map(gaps.map((one) => [one.streamId, one]));
  return Promise.all(
    rows.map((row) =>
      prepareAsked(deps, replay, row, { checkpoint: seen.get(row.streamId), gap: recorded.get(row.streamId) }),
    ),
  );
}

async function prepareRow(deps: GiveDeps, replay: Task, row: PlannedStream): Promise<Given> {
  if (replay.mode === 'redeliver') return { kind: 'message', message: redeliverMessage(replay, row) };
  if (replay.mode === 'fill' || replay.mode === 'resume') {
    const reason = replay.mode === 'fill' ? 'gap' : 'resume';
    return { kind: 'message', message: wakeUpMessage(replay, row, row.to, reason) };
  }
  // The history of an added type counts as resolved until the backfill is complete: what has not passed it yet passes first.
  const checkpoint = await deps.checkpoints.get({ consumer: replay.consumer, streamId: row.streamId });
  const hasPassed = (checkpoint?.version ?? 0) >= row.to;
  const message = hasPassed ? redeliverMessage(replay, row) : wakeUpMessage(replay, row, row.to, 'resume');
  return { kind: 'message', message };
}

/** Every round more needs a scan or a holder that writes this very stream in between. */
const ROUNDS = 3;

interface Seen {
  checkpoint: Checkpoint | undefined;
  gap: OpenGap | undefined;
}

/** @param first what was read for all rows together; after a refusal the row looks again for itself */
async function prepareAsked(deps: GiveDeps, replay: Task, row: PlannedStream, first: Seen): Promise<Given> {
  const { consumer, scope } = replay;
  const { streamId } = row;
  const key = { consumer, streamId };
  const decide = isPass(replay) ? decidePass : decideRewind;
  for (let round = 1; round <= ROUNDS; round += 1) {
    const { checkpoint, gap } = round === 1 ? first : await lookAgain(deps, key);
    const isAsked = checkpoint?.rewind?.requestId === scope || checkpoint?.lastRewindId === scope;
    if (isAsked) return askedMessage(replay, row, checkpoint);
    const decided = decide(row, checkpoint);
    if (decided.kind === 'repeat')
      return { kind: 'message', message: wakeUpMessage(replay, row, decided.to, 'rewind') };
    if (decided.kind !== 'ask') return decided;
    const now = deps.clock.now();
    const { wanted = 0, version = 0 } = checkpoint ?? {};
    const to = Math.max(wanted, version, decided.passTo ?? 0, gap?.to ?? 0) as Version;
    const request = {
      to: decided.to,
      requestId: scope,
      requestedAt: now,
      ...(replay.options.suppressEffects && { suppressEffects: true }),
      ...(decided.passTo !== undefined && { passTo: decided.passTo }),
    };
    const from = (decided.to + 1) as Version;
    const reason = replay.mode === 'rewind' ? 'rewind' : 'replay';
    const isDone = await transacted(deps.dynamo, [
      deps.checkpoints.rewindWrite(key, request),
      deps.openGaps.openWrite({ consumer, streamId, from, to, reason }, now),
    ]);
    if (isDone) return askedMessage(replay, row, checkpoint);
  }
  return { kind: 'busy' };
}

type Ask = { kind: 'ask'; to: Version; passTo?: Version };
/** An earlier rewind goes on up to there. */
type Repeat = { kind: 'repeat'; to: Version };

function decideRewind({ from }: PlannedStream, checkpoint: Checkpoint | undefined): Given | Ask {
  if (checkpoint === undefined || checkpoint.version < from) return { kind: 'unchanged' };
  return checkpoint.rewind === undefined ? { kind: 'ask', to: (from - 1) as Version } : { kind: 'busy' };
}

/** Behind a dead letter nothing is passed, and what an earlier rewind took back is repeated first, with its effects. */
function decidePass({ to: passTo }: PlannedStream, checkpoint: Checkpoint | undefined): Given | Ask | Repeat {
  const { version = 0 as Version, rewind, parked, replay } = checkpoint ?? {};
  if (rewind !== undefined) return { kind: 'repeat', to: version };
  if (version >= passTo) return { kind: 'unchanged' };
  if (parked !== undefined) return { kind: 'busy' };
  return replay === undefined ? { kind: 'ask', to: version, passTo } : { kind: 'repeat', to: replay.until };
}

const lookAgain = async ({ checkpoints, openGaps }: GiveDeps, key: CheckpointKey): Promise<Seen> => ({
  checkpoint: await checkpoints.get(key),
  gap: await openGaps.get(key.consumer, key.streamId),
});

const askedMessage = (replay: Task, row: PlannedStream, checkpoint: Checkpoint | undefined): Given => {
  const { wanted = 0, version = 0 } = checkpoint ?? {};
  const reason = replay.mode === 'rewind' ? 'rewind' : 'resume';
  return { kind: 'message', message: wakeUpMessage(replay, row, Math.max(wanted, version, row.to), reason) };
};

const wakeUpMessage = (
  { consumer, scope }: Task,
  { streamId }: PlannedStream,
  version: number,
  reason: 'gap' | 'resume' | 'rewind',
): QueueMessage => ({
  format: WAKE_UP_FORMAT,
  kind: 'wake-up',
  consumer,
  streamId,
  version,
  hops: 0,
  reason,
  replayId: scope,
});

const redeliverMessage = (
  { consumer, scope, options }: Task,
  { streamId, versions = [] }: PlannedStream,
): QueueMessage => ({
  format: WAKE_UP_FORMAT,
  kind: 'redeliver',
  consumer,
  streamId,
  versions: versionsOf(versions),
  replayId: scope,
  hops: 0,
  ...(options.suppressEffects && { suppressEffects: true }),
});

/** False when a condition was refused: the state is not what was seen. */
async function transacted(
  dynamo: Dynamo,
  TransactItems: Parameters<Dynamo['transactWrite']>[0]['TransactItems'],
): Promise<boolean> {
  try {
    await dynamo.transactWrite({ TransactItems });
    return true;
  } catch (error) {
    if (cancellation(error)?.kind === 'refused') return false;
    throw error;
  }
}
