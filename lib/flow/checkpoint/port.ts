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
  /**
   * Somebody holds the lease; `wanted` is at least what was asked for, so a wake-up may be acknowledged. With purpose
   * `redeliver` nothing was written: the message needs a trace of its own.
   */
  | { kind: 'held'; until: number }
  /** Everything asked for is resolved and nothing waits: no lease was taken, one write unit spent. */
  | { kind: 'up-to-date'; version: Version }
  /** The stream waits behind a dead letter; `wanted` was recorded, no lease was taken. */
  | { kind: 'parked'; deadLetterId: string }
  /** A failed event waits for its next try, whose wake-up is on its way; `wanted` was recorded, no lease was taken. */
  | { kind: 'deferred'; until: number };

/**
 * Why the lease is asked for. `deliver`: a delivery, which waits while a failed event waits for its next try. `force`: the
 * consumer's own or an operator's wake-up, which does not. `redeliver`: to deliver resolved versions again: takes the lease
 * also of a parked stream, asks for nothing new, and finds `up-to-date` version 0 where there is no checkpoint.
 */
export type AcquirePurpose = 'deliver' | 'force' | 'redeliver';

export interface AcquireInput extends CheckpointKey {
  owner: string;
  /** The stream has reached at least this version. */
  wanted: Version;
  /** By the server clock. */
  now: number;
  leaseDurationMs: number;
  mode: 'shared' | 'alone';
  purpose: AcquirePurpose;
  /**
   * Sends a wake-up that arrives not before `notBefore` (server clock, as the result), and says when at the earliest. Called
   * before the answer is `held` or `deferred`, unless one lies ahead already: what the holder does with its own message, or
   * SQS with a message that it hands out twice, must not decide whether the work goes on.
   */
  backUp(notBefore: number): Promise<number>;
  /**
   * Where an absent checkpoint begins: 0, or the version at the consumer's start position. A function is called only when
   * the checkpoint is absent, which then costs one write unit more.
   */
  startVersion: Version | (() => Promise<Version>);
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
  redriving?: null;
  lastDeadLetter?: Checkpoint['lastDeadLetter'] | null;
  rewind?: null;
  lastRewindId?: string;
  replay?: Checkpoint['replay'] | null;
  passedTo?: Version;
  redelivered?: Checkpoint['redelivered'];
  mode?: 'shared' | 'alone';
  leaseUntil?: number;
  /**
   * Give the lease back in the same write. `wantedAtMost`: refuse (and write nothing) when somebody asked for more, or for
   * a rewind. `unlessRewind`: refuse only for the latter. Without either, the holder must send a wake-up afterwards.
   */
  release?: { wantedAtMost?: Version; unlessRewind?: boolean };
}

export type SaveResult =
  | { kind: 'saved' }
  /** Another holder took over (or rewound): stop at once, write nothing, acknowledge nothing. */
  | { kind: 'lease-lost' }
  /** Only with a conditional `release`: nothing was written; apply the rewind, go on to `wanted`. */
  | { kind: 'wanted-more'; wanted: Version; rewind?: RewindRequest }
  /** One of `alongside` was refused, by its condition or its own fault. `index` counts in `alongside`. Nothing was written. */
  | { kind: 'cancelled'; reasons: { index: number; code: string; message: string }[] }
  /** The transaction as a whole was refused (two operations on one item, too large, no such table). Nothing was written. */
  | { kind: 'rejected'; code: string; message: string };

export interface Checkpoints {
  /** Consistent. */
  get(key: CheckpointKey): Promise<Checkpoint | undefined>;
  /** Consistent; absent ones are absent. */
  getMany(keys: readonly CheckpointKey[]): Promise<Checkpoint[]>;
  acquire(input: AcquireInput): Promise<AcquireResult>;
  /**
   * One write under the token: UpdateItem, or TransactWriteItems when `alongside` is not empty. Its own retry after a lost
   * response is recognised and counts as saved once. Conflicts and throttling are retried; what remains is thrown.
   */
  save(
    lease: CheckpointKey & { owner: string; token: number },
    change: CheckpointChange,
    options: { now: number; alongside?: readonly Write[] },
  ): Promise<SaveResult>;
  /**
   * Ask for a rewind; the next lease holder applies it. Refused when the checkpoint is not above `to` (nothing to rewind)
   * or another rewind waits (busy). The same `requestId` again, waiting or the last one applied: already requested.
   */
  requestRewind(
    key: CheckpointKey,
    request: RewindRequest,
  ): Promise<{ kind: 'requested' | 'already-requested' | 'busy' | 'nothing-to-rewind' }>;
  /**
   * The same request as a write for a transaction, with what records the debt. Refused for one of the reasons above, which
   * the item that comes with the refusal tells apart. With `passTo` it makes the checkpoint when there is none, and is refused
   * when the checkpoint is not at `to`, parked, or repeats what an earlier rewind took back.
   */
  rewindWrite(key: CheckpointKey, request: RewindRequest): Write;
  /**
   * The write that un-parks, for use in a transaction; conditional on `parked.deadLetterId`. The next lease holder tries
   * the event again and marks its row `resolved`, or with `discard` passes it without a react, outcome `discarded`.
   */
  unparkWrite(key: CheckpointKey, deadLetterId: string, now: number, decision?: 'retry' | 'discard'): Write;
}
