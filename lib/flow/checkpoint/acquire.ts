// Taking the lease: normally ONE conditional UpdateItem that takes the lease, raises `wanted` and returns the checkpoint.
// DynamoDB has no max(): the first try assumes that nobody asked for more; when it is refused, the item that stood in the
// way decides the next step (`decideAcquire`). Bounded; a lost response is recognised by the owner.

import type { Checkpoint } from '../../model/checkpoint.ts';
import { CHECKPOINT_FORMAT } from '../../model/checkpoint.ts';
import { EventRecoveryError } from '../../model/errors.ts';
import type { Version } from '../../model/ids.ts';
import { type AcquireStep, decideAcquire, type StillTrue } from './decide-acquire.ts';
import { GENESIS_DIGEST } from './digest.ts';
import { type CheckpointItem, checkpointKey, NOBODY, toCheckpoint } from './item.ts';
import { allOf, CLAUSES, expiredBefore, rememberTexts } from './lease.ts';
import type { AcquireInput, AcquireResult } from './port.ts';
import type { CheckpointTable } from './table.ts';
import { conditionalUpdate } from './table.ts';

/** Every round more needs another party's write in between; 64 claimers at once were seen to need 4. */
const MAX_ROUNDS = 12;

export async function acquire(table: CheckpointTable, input: AcquireInput): Promise<AcquireResult> {
  const knownStart = typeof input.startVersion === 'number' ? input.startVersion : undefined;
  let step: AcquireStep = { kind: 'take', raise: input.purpose !== 'redeliver' };
  let start: Version | undefined = knownStart;
  let backUpAt: number | undefined;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    if (step.kind === 'answer') return step.result;
    if (step.kind === 'acquired-before') return acquired(input, step.item, step.previousEndedUncleanly);
    if (step.kind === 'raise') {
      // Sent before it is written down: a wake-up too many is harmless, one that was never sent is not.
      if (step.backUpBy !== undefined) backUpAt ??= await input.backUp(step.backUpBy);
      const refused = await leaveTrace(table, input, step, backUpAt);
      if (refused === undefined) return step.then;
      step = decideAcquire(refused.item, input);
      continue;
    }
    if (step.kind === 'take-first' && start === undefined) start = await startOf(input);
    const taken = await take(table, input, { raise: step.kind === 'take-first' || step.raise, start });
    if (taken.kind === 'taken') return acquired(input, taken.item, taken.previousEndedUncleanly);
    step = decideAcquire(taken.item, input);
  }
  throw new EventRecoveryError(
    'LEASE_CONTENDED',
    `lease of consumer "${input.consumer}" on stream "${input.streamId}": changed hands ${MAX_ROUNDS} times while it was asked for; remedy: none, the message comes back`,
    { retryable: true, facts: { consumer: input.consumer, streamId: input.streamId, rounds: MAX_ROUNDS } },
  );
}

const startOf = async ({ startVersion }: AcquireInput): Promise<Version> =>
  typeof startVersion === 'function' ? startVersion() : startVersion;

type Taken =
  | { kind: 'taken'; item: CheckpointItem; previousEndedUncleanly: boolean }
  | { kind: 'refused'; item: CheckpointItem | undefined };

const takeText = (wanted: string): string =>
  `SET ${[
    '#version = if_not_exists(#version, :start)',
    '#generation = if_not_exists(#generation, :one)',
    '#generationStart = if_not_exists(#generationStart, :start)',
    '#resolvedCount = if_not_exists(#resolvedCount, :zero)',
    '#resolvedDigest = if_not_exists(#resolvedDigest, :genesis)',
    wanted,
    '#token = if_not_exists(#token, :zero) + :one',
    '#takenFrom = if_not_exists(#leaseOwner, :nobody)',
    '#leaseOwner = :leaseOwner',
    '#leaseUntil = :leaseUntil',
    '#leaseMode = :leaseMode',
    '#updatedAt = :updatedAt',
    '#format = :format',
  ].join(', ')}`;
const TAKE = takeText('#wanted = if_not_exists(#wanted, :zero)');
const TAKE_AND_RAISE = takeText('#wanted = :wanted');
const takeConditions = rememberTexts();

async function take(
  table: CheckpointTable,
  input: AcquireInput,
  { raise, start }: { raise: boolean; start: Version | undefined },
): Promise<Taken> {
  const { purpose, now, owner, wanted } = input;
  const redelivers = purpose === 'redeliver';
  const taken = {
    leaseOwner: owner,
    leaseUntil: now + input.leaseDurationMs,
    leaseMode: input.mode,
    updatedAt: now,
    format: CHECKPOINT_FORMAT,
  };
  const result = await conditionalUpdate(table, input, {
    update: raise ? TAKE_AND_RAISE : TAKE,
    condition: takeConditions(`${purpose} ${raise} ${start === undefined}`, () =>
      allOf(
        CLAUSES.leaseIsFree,
        ...(redelivers ? [] : [CLAUSES.isNotParked, CLAUSES.hasWork]),
        ...(purpose === 'deliver' ? [CLAUSES.isNotDeferred] : []),
        ...(redelivers ? [] : [raise ? CLAUSES.nobodyAskedForMore : CLAUSES.somebodyAskedForAsMuch]),
        ...(redelivers || start === undefined ? [CLAUSES.exists] : []),
      ),
    ),
    values: {
      ':start': start ?? (0 as Version),
      ':zero': 0,
      ':one': 1,
      ':genesis': GENESIS_DIGEST,
      ':wanted': wanted,
      ':nobody': NOBODY,
      ':now': now,
      ':expiredBefore': expiredBefore(now),
      ':leaseOwner': taken.leaseOwner,
      ':leaseUntil': taken.leaseUntil,
      ':leaseMode': taken.leaseMode,
      ':updatedAt': taken.updatedAt,
      ':format': taken.format,
    },
    returnOld: true,
  });
  if (result.kind === 'refused') return result;
  const old = result.old;
  const item: CheckpointItem = {
    version: start ?? (0 as Version),
    generation: 1,
    generationStart: start ?? (0 as Version),
    resolvedCount: 0,
    resolvedDigest: GENESIS_DIGEST,
    ...old,
    ...taken,
    ...checkpointKey(input),
    wanted: raise ? wanted : (old?.wanted ?? (0 as Version)),
    token: (old?.token ?? 0) + 1,
  };
  return { kind: 'taken', item, previousEndedUncleanly: old?.leaseOwner !== undefined };
}

const acquired = (input: AcquireInput, item: CheckpointItem, previousEndedUncleanly: boolean): AcquireResult => {
  const checkpoint: Checkpoint = toCheckpoint(item);
  return { kind: 'acquired', checkpoint, owner: input.owner, token: checkpoint.token, previousEndedUncleanly };
};

const STILL: Record<StillTrue['state'], readonly string[]> = {
  held: [CLAUSES.tokenIsTheSame, CLAUSES.leaseIsHeld],
  parked: [CLAUSES.isParkedBehind, CLAUSES.noRewindWaits],
  deferred: [CLAUSES.tokenIsTheSame, CLAUSES.isDeferredUntil, CLAUSES.noRewindWaits],
};

/** Undefined: the trace is there. Otherwise the item that stood in the way. */
async function leaveTrace(
  table: CheckpointTable,
  { wanted, ...key }: AcquireInput,
  { stillTrue, raises }: Extract<AcquireStep, { kind: 'raise' }>,
  backUpAt: number | undefined,
): Promise<{ item: CheckpointItem | undefined } | undefined> {
  const { state, ...facts } = stillTrue;
  const assignments = [...(raises ? ['#wanted = :wanted'] : []), ...(backUpAt ? ['#backUpAt = :backUpAt'] : [])];
  const result = await conditionalUpdate(table, key, {
    update: `SET ${assignments.join(', ')}`,
    condition: allOf(...STILL[state], raises ? CLAUSES.askedForLess : CLAUSES.somebodyAskedForAsMuch),
    values: {
      ':wanted': wanted,
      ':backUpAt': backUpAt,
      ...Object.fromEntries(Object.entries(facts).map(([name, value]) => [`:${name}`, value])),
    },
  });
  return result.kind === 'refused' ? result : undefined;
}
