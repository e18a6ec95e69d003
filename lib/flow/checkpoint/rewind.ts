// Requests from outside the lease: a rewind, which the next lease holder applies, and un-parking. Neither moves the
// checkpoint itself, so neither can race with a holder.

import { CHECKPOINT_FORMAT, type RewindRequest } from '../../model/checkpoint.ts';
import type { Write } from '../../platform/dynamodb/port.ts';
import { deadLetterKeyOf } from '../dead-letter/id.ts';
import { GENESIS_DIGEST } from './digest.ts';
import { allOf, CLAUSES } from './lease.ts';
import type { CheckpointKey } from './port.ts';
import { type CheckpointTable, type ConditionalUpdate, conditionalUpdate, updateRequest } from './table.ts';

export type RewindAnswer = { kind: 'requested' | 'already-requested' | 'busy' | 'nothing-to-rewind' };

export async function requestRewind(
  table: CheckpointTable,
  key: CheckpointKey,
  request: RewindRequest,
): Promise<RewindAnswer> {
  const result = await conditionalUpdate(table, key, rewindUpdate(request));
  if (result.kind === 'updated') return { kind: 'requested' };
  const { rewind, lastRewindId } = result.item ?? {};
  if (rewind !== undefined) return { kind: rewind.requestId === request.requestId ? 'already-requested' : 'busy' };
  return { kind: lastRewindId === request.requestId ? 'already-requested' : 'nothing-to-rewind' };
}

export const rewindWrite = (table: CheckpointTable, key: CheckpointKey, request: RewindRequest): Write => ({
  Update: updateRequest(table.table, key, rewindUpdate(request)),
});

const isNotTheLastOne = '(attribute_not_exists(#lastRewindId) OR #lastRewindId <> :requestId)';

function rewindUpdate(request: RewindRequest): ConditionalUpdate {
  if (request.passTo !== undefined) return passUpdate(request);
  const isAboveTarget = '#version > :to';
  return {
    update: 'SET #rewind = :rewind',
    condition: allOf(isAboveTarget, CLAUSES.noRewindWaits, isNotTheLastOne),
    values: { ':rewind': request, ':to': request.to, ':requestId': request.requestId },
  };
}

/** What has no checkpoint yet gets the one that the first holder of its lease would make, so that no live event comes first. */
function passUpdate(request: RewindRequest): ConditionalUpdate {
  const isWhereItWas = '(attribute_not_exists(#version) OR #version = :to)';
  const isNotParked = 'attribute_not_exists(#parked)';
  const repeatsNothing = 'attribute_not_exists(#replay)';
  return {
    update: `SET ${[
      '#rewind = :rewind',
      '#version = if_not_exists(#version, :zero)',
      '#generation = if_not_exists(#generation, :one)',
      '#generationStart = if_not_exists(#generationStart, :zero)',
      '#resolvedCount = if_not_exists(#resolvedCount, :zero)',
      '#resolvedDigest = if_not_exists(#resolvedDigest, :genesis)',
      '#wanted = if_not_exists(#wanted, :zero)',
      '#token = if_not_exists(#token, :zero)',
      '#updatedAt = if_not_exists(#updatedAt, :requestedAt)',
      '#format = if_not_exists(#format, :format)',
    ].join(', ')}`,
    condition: allOf(isWhereItWas, CLAUSES.noRewindWaits, isNotTheLastOne, isNotParked, repeatsNothing),
    values: {
      ':rewind': request,
      ':to': request.to,
      ':requestId': request.requestId,
      ':zero': 0,
      ':one': 1,
      ':genesis': GENESIS_DIGEST,
      ':requestedAt': request.requestedAt,
      ':format': CHECKPOINT_FORMAT,
    },
  };
}

export function unparkWrite(
  table: CheckpointTable,
  key: CheckpointKey,
  deadLetterId: string,
  now: number,
  decision: 'retry' | 'discard',
): Write {
  const { version } = deadLetterKeyOf(deadLetterId);
  return {
    Update: updateRequest(table.table, key, {
      update: 'SET #redriving = :redriving, #updatedAt = :updatedAt REMOVE #parked, #attempting',
      condition: CLAUSES.isParkedBehind,
      values: { ':redriving': { version, deadLetterId, decision }, ':deadLetterId': deadLetterId, ':updatedAt': now },
    }),
  };
}
