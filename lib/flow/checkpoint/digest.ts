// The digest of a checkpoint: a hash folded over (version, commit hash, outcome) of everything that was resolved, in order.
// Two parties that fold the same history get the same digest; a skipped, doubled or swapped version gives another one.

import { hash } from 'node:crypto';
import type { Outcome } from '../../model/checkpoint.ts';

/** The digest before anything was resolved. */
export const GENESIS_DIGEST = '0'.repeat(64);

/** @example digest = foldDigest(GENESIS_DIGEST, 1, commit.hash, 'resolved'); */
export const foldDigest = (previous: string, version: number, commitHash: string, outcome: Outcome): string =>
  hash('sha256', `${previous}|${version}|${commitHash}|${outcome}`, 'hex');
