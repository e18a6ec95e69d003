// Checkpoints: lease, contiguous progress and everything that must change with it. Every write carries the fencing token
// of the lease that it was made under; a late or doubled writer is refused by DynamoDB.

import type { Checkpoint, RewindRequest } from '../../model/checkpoint.ts';
import type { ConsumerName, StreamId, Version } from '../../model/ids.ts';
import type { Write } from '../../platform/dynamodb/port.ts';

export interface CheckpointKey {
  consumer: ConsumerName;
  streamId: StreamId;
}

export type AcquireResult =
  | {
      kind: 'acquired';
      checkpoint: Checkpoint;
      owner: string;
      token: number;
      /** The previous holder's lease was never released: it crashed, timed out or still sleeps. */
      previousEndedUncleanly: boolean;
    }
  /** Somebody holds the lease; `wanted` is at least what was asked for, so the message may be acknowledged. */
  | { kind: 'held'; until: number };

export interface AcquireInput extends CheckpointKey {
  owner: string;
  /** The stream has reached at least this version. */
  wanted: Version;
  /** By the server clock. */
  now: number;
  leaseDurationMs: number;
  mode: 'shared' | 'alone';
  /** Where an absent checkpoint begins: 0, or the version at the consumer's start position. Asked only when absent. */
  startVersion: () => Promise<Version>;
}

/** What to write under the lease. Absent fields stay as they are; `null` removes. */
export interface CheckpointChange {
  version?: Version;
  resolvedCount?: number;
  resolvedDigest?: string;
  generation?: number;
  generationStart?: Version;
  attempting?: Checkpoint['attempting'] | null;
  parked?: Checkpoint['parked'] | null;
  rewind?: null;
  replay?: Checkpoint['replay'] | null;
  mode?: 'shared' | 'alone';
  leaseUntil?: number;
  /** Give the lease back in the same write. `wantedAtMost`: refuse (and write nothing) when somebody asked for more. */
  release?: { wantedAtMost?: Version };
}

export type SaveResult =
  | { kind: 'saved' }
  /** Another holder took over (or rewound): stop at once, write nothing, acknowledge nothing. */
  | { kind: 'lease-lost' }
  /** Only with `release.wantedAtMost`: nothing was written; go on to `wanted`. */
  | { kind: 'wanted-more'; wanted: Version }
  /** One of `alongside` was refused by its own condition. `index` counts in `alongside`. Nothing was written. */
  | { kind: 'cancelled'; reasons: { index: number; code: string; message: string }[] };

export interface Checkpoints {
  /** Consistent. */
  get(key: CheckpointKey): Promise<Checkpoint | undefined>;
  /** Consistent; absent ones are absent. */
  getMany(keys: readonly CheckpointKey[]): Promise<Checkpoint[]>;
  acquire(input: AcquireInput): Promise<AcquireResult>;
  /** One write under the token: UpdateItem, or TransactWriteItems when `alongside` is given. */
  save(
    lease: CheckpointKey & { owner: string; token: number },
    change: CheckpointChange,
    options: { now: number; alongside?: readonly Write[] },
  ): Promise<SaveResult>;
  /** Ask for a rewind; the next lease holder applies it. Refused when the checkpoint is below `to` or a rewind waits. */
  requestRewind(
    key: CheckpointKey,
    request: RewindRequest,
  ): Promise<{ kind: 'requested' | 'already-requested' | 'busy' | 'nothing-to-rewind' }>;
  /** The write that un-parks, for use in a transaction; conditional on `parked.deadLetterId`. */
  unparkWrite(key: CheckpointKey, deadLetterId: string, now: number): Write;
}
