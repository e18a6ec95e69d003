// Snapshots: folded state at a version, so that a long stream need not be read from its beginning. A cache and nothing more:
// it names the commit that it was folded up to, and whoever reads it compares that with the stream.

import type { Json } from '../../model/event.ts';
import type { StreamId, Version } from '../../model/ids.ts';

export interface SnapshotKey {
  streamId: StreamId;
  /** Which state of the stream: a stream can be folded in several ways. */
  name: string;
  /** Version of the state's shape and of how it is folded. Another one is another snapshot. */
  schemaVersion: number;
}

export interface Snapshot extends SnapshotKey {
  /** Version of the last event that is in the state: the end of a commit. */
  version: Version;
  /** Hash of that commit. With the chain of hashes, it stands for everything before it. */
  commitHash: string;
  state: Json;
  /** Milliseconds since 1970. */
  takenAt: number;
}

/** What stands in the place of a snapshot: enough to replace exactly that. */
export interface SeenSnapshot {
  version: unknown;
  checksum: unknown;
}

export type SnapshotRead =
  | { kind: 'none' }
  | { kind: 'found'; snapshot: Snapshot; seen: SeenSnapshot }
  /** Changed bytes, or a newer format. */
  | { kind: 'unreadable'; seen: SeenSnapshot };

export type SnapshotWrite =
  | { kind: 'stored'; itemBytes: number }
  /** A snapshot of this version, or of a later one, is there already. */
  | { kind: 'not-newer' }
  /** More than an item may have, even compressed: nothing was written. */
  | { kind: 'too-large'; itemBytes: number };

export interface Snapshots {
  read(key: SnapshotKey): Promise<SnapshotRead>;
  /**
   * Never goes back: refused when a snapshot of this version or a later one is there, unless that is exactly `replacing`.
   * @throws InvalidInputError `SNAPSHOT_STATE_NOT_JSON`
   */
  write(snapshot: Snapshot, replacing?: SeenSnapshot): Promise<SnapshotWrite>;
  /** All snapshots of a stream, for example when personal data must go. They come back with the next rehydration. */
  remove(streamId: StreamId): Promise<number>;
}
