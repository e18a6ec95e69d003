// The checkpoint as it stands in the table, and as code sees it. Everything that a condition needs is a flat attribute;
// two attributes are this store's own: `takenFrom` (whose lease the holder found) and `saved` (which save was the last).

import type { Checkpoint } from '../../model/checkpoint.ts';
import { CHECKPOINT_FORMAT } from '../../model/checkpoint.ts';
import { readableFormat } from '../../model/format.ts';
import type { ConsumerName, StreamId, Version } from '../../model/ids.ts';
import type { CheckpointKey } from './port.ts';

export const CHECKPOINT_SORT_KEY = 'checkpoint';
/** `takenFrom` of a holder that found the lease free. */
export const NOBODY = '-';

export interface CheckpointItem {
  pk: string;
  sk: string;
  version: Version;
  generation: number;
  generationStart: Version;
  resolvedCount: number;
  resolvedDigest: string;
  wanted: Version;
  token: number;
  leaseOwner?: string;
  leaseUntil?: number;
  leaseMode?: 'shared' | 'alone';
  /** Owner of the unreleased lease that the present holder took over, or `NOBODY`: survives a lost response. */
  takenFrom?: string;
  backUpAt?: number;
  /** Names the last save: a retry of the same save is recognised by it. */
  saved?: string;
  attempting?: Checkpoint['attempting'];
  parked?: Checkpoint['parked'];
  redriving?: Checkpoint['redriving'];
  lastDeadLetter?: Checkpoint['lastDeadLetter'];
  rewind?: Checkpoint['rewind'];
  lastRewindId?: string;
  replay?: Checkpoint['replay'];
  passedTo?: Version;
  redelivered?: Checkpoint['redelivered'];
  updatedAt: number;
  format: number;
}

export const checkpointKey = ({ consumer, streamId }: CheckpointKey) => ({
  pk: `${consumer}#${streamId}`,
  sk: CHECKPOINT_SORT_KEY,
});

/** A consumer's name holds no `#`; a stream id may. */
function keyOf(pk: string): CheckpointKey {
  const end = pk.indexOf('#');
  return { consumer: pk.slice(0, end) as ConsumerName, streamId: pk.slice(end + 1) as StreamId };
}

/** @throws EventRecoveryError `NEWER_FORMAT` when a newer version of the project wrote it */
export function toCheckpoint(item: CheckpointItem): Checkpoint {
  readableFormat('checkpoint', item.format, CHECKPOINT_FORMAT);
  const { leaseOwner: owner, leaseUntil: until, leaseMode: mode } = item;
  const { pk, sk: _sk, leaseOwner: _o, leaseUntil: _u, leaseMode: _m, takenFrom: _t, saved: _s, ...rest } = item;
  return {
    ...keyOf(pk),
    ...rest,
    ...(owner !== undefined &&
      until !== undefined && {
        lease: { owner, until, mode: mode ?? 'shared' },
      }),
  };
}
