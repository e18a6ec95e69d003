// A change under the lease as an update expression, and what a refusal of it means. Pure. Values are absolute, never
// relative, so that the same write applied twice changes nothing; the nonce makes the second one recognisable, and its order
// refuses a request that DynamoDB carries out late, after a later save of the same lease.

import { CHECKPOINT_FORMAT } from '../../model/checkpoint.ts';
import type { CheckpointItem } from './item.ts';
import { allOf, CLAUSES, rememberTexts } from './lease.ts';
import type { CheckpointChange, SaveResult } from './port.ts';
import type { ConditionalUpdate } from './table.ts';

export interface LeaseProof {
  owner: string;
  token: number;
  /** Unique per save; in text order, each save of a lease is above the one before it. */
  nonce: string;
}

const LEASE_ATTRIBUTES = ['#leaseOwner', '#leaseUntil', '#leaseMode', '#takenFrom'];

/** Saves have few shapes: each expression is written once. */
const saveTexts = rememberTexts();

export function saveUpdate(
  change: CheckpointChange,
  { owner, token, nonce }: LeaseProof,
  now: number,
): ConditionalUpdate {
  const { release, mode, ...fields } = change;
  const written: Record<string, unknown> = { ...fields, saved: nonce, updatedAt: now, format: CHECKPOINT_FORMAT };
  if (mode !== undefined) written.leaseMode = mode;
  const values: Record<string, unknown> = { ':owner': owner, ':token': token, ':nonce': nonce };
  let set = '';
  let removed = '';
  for (const name of Object.keys(written)) {
    const value = written[name];
    if (value === undefined) continue;
    if (value === null) removed += `${name} `;
    else {
      set += `${name} `;
      values[placeholderOf(name)] = value;
    }
  }
  if (release?.wantedAtMost !== undefined) values[':wantedAtMost'] = release.wantedAtMost;
  const isConditionalRelease = release?.wantedAtMost !== undefined || release?.unlessRewind === true;
  return {
    update: saveTexts(`${set}-${removed}${release === undefined ? '' : 'release'}`, () =>
      updateText(namesOf(set), [...namesOf(removed), ...(release === undefined ? [] : LEASE_ATTRIBUTES)]),
    ),
    condition: saveTexts(`${release?.wantedAtMost === undefined}${isConditionalRelease}`, () =>
      allOf(
        CLAUSES.tokenIsOurs,
        CLAUSES.followsTheLastSave,
        ...(release?.wantedAtMost === undefined ? [] : [CLAUSES.wantedIsReached]),
        ...(isConditionalRelease ? [CLAUSES.noRewindWaits] : []),
      ),
    ),
    values,
  };
}

const placeholders = new Map<string, string>();
/** The same string each time: as a name of a property, a new one would be looked up among all strings. */
function placeholderOf(name: string): string {
  const known = placeholders.get(name);
  if (known !== undefined) return known;
  const made = `:${name}`;
  placeholders.set(name, made);
  return made;
}

const namesOf = (list: string): string[] => list.split(' ').flatMap((name) => (name === '' ? [] : [`#${name}`]));

const updateText = (set: readonly string[], removed: readonly string[]): string =>
  `SET ${set.map((name) => `${name} = :${name.slice(1)}`).join(', ')}${removed.length === 0 ? '' : ` REMOVE ${removed.join(', ')}`}`;

/** The refused write, judged by the item that stood in the way. */
export function decideRefusedSave(item: CheckpointItem | undefined, { owner, token, nonce }: LeaseProof): SaveResult {
  if (item === undefined) return { kind: 'lease-lost' };
  if (item.saved === nonce) return { kind: 'saved' };
  if (item.token !== token || item.leaseOwner !== owner) return { kind: 'lease-lost' };
  return { kind: 'wanted-more', wanted: item.wanted, ...(item.rewind && { rewind: item.rewind }) };
}
