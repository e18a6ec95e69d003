// Where a stream ends, and what this process knows about it. A known head never becomes wrong, only old: streams only grow.
// So it can stand in for a read before a conditional write, and a stream that ends below it is damaged.

import { type Commit, GENESIS_HASH, lastVersion } from '../../model/commit.ts';
import type { Version } from '../../model/ids.ts';

export interface Head {
  /** Version of the last event; 0 = empty stream. */
  version: Version;
  /** Hash of the last commit. */
  hash: string;
  recordedAt: number;
}

export const EMPTY_HEAD: Head = { version: 0 as Version, hash: GENESIS_HASH, recordedAt: 0 };

export const headOf = (last: Pick<Commit, 'version' | 'count' | 'hash' | 'recordedAt'> | undefined): Head =>
  last === undefined ? EMPTY_HEAD : { version: lastVersion(last), hash: last.hash, recordedAt: last.recordedAt };

export interface HeadCache {
  get(streamId: string): Head | undefined;
  /** Remembers a head, unless a higher one is known already. */
  raise(streamId: string, head: Head): void;
}

/** About 400 bytes a stream: 4 MB at most. */
export const CACHED_HEADS = 10_000;

/** The streams that were used last; a forgotten one costs two reads. */
export function createHeadCache(capacity = CACHED_HEADS): HeadCache {
  const heads = new Map<string, Head>();
  const use = (streamId: string, head: Head): void => {
    // A Map iterates in the order of insertion: the first key is the one that was not used for longest.
    heads.delete(streamId);
    heads.set(streamId, head);
  };
  return {
    get(streamId) {
      const head = heads.get(streamId);
      if (head !== undefined) use(streamId, head);
      return head;
    },
    raise(streamId, head) {
      const known = heads.get(streamId);
      use(streamId, known !== undefined && known.version > head.version ? known : head);
      if (heads.size > capacity) heads.delete(heads.keys().next().value as string);
    },
  };
}
