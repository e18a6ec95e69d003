// Applying a rewind, as the holder of the lease: checkpoint back (or, for what is only passed without effects, as it is),
// generation + 1, and the dead letters of the range closed. Few of them close in the same transaction; many close in steps that
// each leave a chain that can be continued, so a crash anywhere costs only time. Nothing is reacted to before the rewind is applied.

import type { Checkpoint, DeadLetterLink, RewindRequest } from '../../model/checkpoint.ts';
import type { DeadLetterStatus } from '../../model/dead-letter.ts';
import type { Version } from '../../model/ids.ts';
import type { Write } from '../../platform/dynamodb/port.ts';
import { GENESIS_DIGEST } from '../checkpoint/digest.ts';
import type { CheckpointChange } from '../checkpoint/port.ts';
import { deadLetterId } from '../dead-letter/id.ts';
import { count, type StreamRun, tell } from './run.ts';

/** A transaction takes 100 items; a step is one read per row and one transaction. */
const ROWS_PER_STEP = 50;
const OPEN: readonly DeadLetterStatus[] = ['parked', 'skipped', 'redriving'];

/** False: out of time, go on in another invocation. @throws LeaseLostError */
export async function applyRewind(run: StreamRun): Promise<boolean> {
  const { engine, deadline } = run.batch;
  for (;;) {
    if (deadline.isNear()) return false;
    const { stored } = run.session;
    const { rewind } = stored;
    if (rewind === undefined) return true;
    const { rows, rest, isEnd } = await closableRows(run, stored, targetOf(stored, rewind), rewind.suppressEffects);
    const lastDeadLetter = rest ?? null;
    if (!isEnd) {
      await saveOrThrow(run, { lastDeadLetter }, rows);
      continue;
    }
    await saveOrThrow(run, rewound(stored, rewind, lastDeadLetter), rows);
    const { requestId, to, passTo } = rewind;
    if (passTo === undefined) {
      count(engine, 'Rewinds');
      tell(run.batch, 'info', 'rewind applied', run.work, { replayId: requestId, from: stored.version, to });
    } else {
      const range = { from: stored.version + 1, to: passTo };
      tell(run.batch, 'info', 'events are passed without effects', run.work, { replayId: requestId, ...range });
    }
    return true;
  }
}

/** Where the next generation begins: what is only passed begins at the checkpoint, wherever its holder brought it meanwhile. */
const targetOf = ({ version }: Checkpoint, { to, passTo }: RewindRequest): Version =>
  passTo === undefined ? to : version;

function rewound(stored: Checkpoint, rewind: RewindRequest, lastDeadLetter: DeadLetterLink | null): CheckpointChange {
  const { requestId, suppressEffects, passTo } = rewind;
  const to = targetOf(stored, rewind);
  const done = { rewind: null, lastRewindId: requestId } as const;
  // The request was checked when it was made; only another rewind, or its own holder's progress, could have come between.
  if (passTo === undefined ? to >= stored.version : passTo <= stored.version) return done;
  // What an earlier generation never resolved is no repetition: it is delivered as new, suppressed or not.
  const repeatsTo = stored.replay && stored.replay.until > stored.version ? stored.replay.until : stored.version;
  const until = passTo ?? repeatsTo;
  return {
    ...done,
    ...(passTo !== undefined && { passedTo: passTo }),
    version: to,
    generation: stored.generation + 1,
    generationStart: to,
    resolvedCount: 0,
    resolvedDigest: GENESIS_DIGEST,
    attempting: null,
    parked: null,
    redriving: null,
    lastDeadLetter,
    replay: { id: requestId, until, ...(suppressEffects && { suppressEffects }) },
  };
}

interface Step {
  rows: Write[];
  /** The newest dead letter that stays in the chain, as far as this step came. */
  rest: DeadLetterLink | undefined;
  /** No row of the range is left. */
  isEnd: boolean;
}

/** Walks the chain from its newest row down to the target, at most one step far. Versions in it only descend. */
async function closableRows(
  run: StreamRun,
  { consumer, streamId, lastDeadLetter }: Checkpoint,
  to: Version,
  suppressEffects = false,
): Promise<Step> {
  const { deadLetters, serverClock } = run.batch.engine;
  const rows: Write[] = [];
  let link = lastDeadLetter;
  for (let walked = 0; link !== undefined && link.version > to; walked += 1) {
    if (walked >= ROWS_PER_STEP) return { rows, rest: link, isEnd: false };
    const id = deadLetterId({ consumer, streamId, ...link });
    const row = await deadLetters.get(id);
    if (row === undefined) tell(run.batch, 'error', 'dead letter missing in the chain', run.work, { deadLetterId: id });
    // With suppressed effects a skipped event is not delivered again: it stays open for a redelivery.
    const staysOpen = suppressEffects && row?.status === 'skipped';
    if (row !== undefined && OPEN.includes(row.status) && !staysOpen) {
      rows.push(deadLetters.statusWrite(id, OPEN, 'superseded', serverClock.now()));
    }
    link = row?.previous;
  }
  return { rows, rest: link, isEnd: true };
}

async function saveOrThrow(run: StreamRun, fields: CheckpointChange, rows: readonly Write[]): Promise<void> {
  const saved = await run.session.save({ fields, rows });
  if (saved.kind !== 'saved') throw new Error(`a rewind could not be stored: ${JSON.stringify(saved)}`);
}
