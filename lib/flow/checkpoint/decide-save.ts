// A change under the lease as an update expression, and what a refusal of it means. Pure. Values are absolute, never
// relative, so that the same write applied twice changes nothing; the nonce makes the second one recognisable, and its order
// refuses a request that DynamoDB carries out late, after a later save of the same lease.

import { CHECKPOINT_FORMAT } from '../../model/checkpoint.ts';
import type { CheckpointItem } from './item.ts';
import { allOf, CLAUSES } from './lease.ts';
import type { CheckpointChange, SaveResult } from './port.ts';
import type { ConditionalUpdate } from './table.ts';

export interface LeaseProof {
  owner: string;
  token: number;
  /** Unique per save; in text order, each save of a lease is above the one before it. */
  nonce: string;
}

const LEASE_ATTRIBUTES = ['#leaseOwner', '#leaseUntil', '#leaseMode', '#takenFrom'];

export function saveUpdate(
  change: CheckpointChange,
  { owner, token, nonce }: LeaseProof,
  now: number,
): ConditionalUpdate {
  const { release, mode, ...fields } = change;
  const written: Record<string, unknown> = {
    ...fields,
    ...(mode !== undefined && { leaseMode: mode }),
    saved: nonce,
    updatedAt: now,
    format: CHECKPOINT_FORMAT,
  };
  const given = Object.entries(written).filter(([, value]) => value !== undefined);
  const set = given.filter(([, value]) => value !== null).map(([name]) => `#${name} = :${name}`);
  const removed = [
    ...given.filter(([, value]) => value === null).map(([name]) => `#${name}`),
    ...(release === undefined ? [] : LEASE_ATTRIBUTES),
  ];
  const isConditionalRelease = release?.wantedAtMost !== undefined || release?.unlessRewind === true;
  return {
    update: `SET ${set.join(', ')}${removed.length === 0 ? '' : ` REMOVE ${removed.join(', ')}`}`,
    condition: allOf(
      CLAUSES.tokenIsOurs,
      CLAUSES.followsTheLastSave,
      ...(release?.wantedAtMost === undefined ? [] : [CLAUSES.wantedIsReached]),
      ...(isConditionalRelease ? [CLAUSES.noRewindWaits] : []),
    ),
    values: {
      ...Object.fromEntries(given.map(([name, value]) => [`:${name}`, value])),
      ':owner': owner,
      ':token': token,
      ':nonce': nonce,
      ':wantedAtMost': release?.wantedAtMost,
    },
  };
}

/** The refused write, judged by the item that stood in the way. */
export function decideRefusedSave(item: CheckpointItem | undefined, { owner, token, nonce }: LeaseProof): SaveResult {
  if (item === undefined) return { kind: 'lease-lost' };
  if (item.saved === nonce) return { kind: 'saved' };
  if (item.token !== token || item.leaseOwner !== owner) return { kind: 'lease-lost' };
  return { kind: 'wanted-more', wanted: item.wanted, ...(item.rewind && { rewind: item.rewind }) };
}
