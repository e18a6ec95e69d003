// Requests from outside the lease: a rewind, which the next lease holder applies, and un-parking. Neither moves the
// checkpoint itself, so neither can race with a holder.

import type { RewindRequest } from '../../model/checkpoint.ts';
import type { Write } from '../../platform/dynamodb/port.ts';
import { deadLetterKeyOf } from '../dead-letter/id.ts';
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

function rewindUpdate(request: RewindRequest): ConditionalUpdate {
  const isAboveTarget = '#version > :to';
  const isNotTheLastOne = '(attribute_not_exists(#lastRewindId) OR #lastRewindId <> :requestId)';
  return {
    update: 'SET #rewind = :rewind',
    condition: allOf(isAboveTarget, CLAUSES.noRewindWaits, isNotTheLastOne),
    values: { ':rewind': request, ':to': request.to, ':requestId': request.requestId },
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
