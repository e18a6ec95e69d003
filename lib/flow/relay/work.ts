// What a batch holds, as work per stream. Pure: groups the parsed records, verifies each commit on its own, and puts the
// gathered commits into the order in which the batch mentions them, which is the order that the log gets.

import { type Commit, lastVersion } from '../../model/commit.ts';
import type { StreamId, Version } from '../../model/ids.ts';
import { type Damage, type VerifyCommit, verified } from './gather.ts';
import type { ParsedRecord } from './parse-record.ts';

export type CommitRecord = Extract<ParsedRecord, { kind: 'commit' }>;

export interface StreamWork {
  streamId: StreamId;
  /** Lowest place of this stream in the batch: from there on Lambda delivers again when the stream fails. */
  firstIndex: number;
  delivered: Commit[];
  /** Records whose bytes do not fit their hash. */
  damages: Damage[];
  /** The stream has reached at least this version. */
  target: Version;
  /** A record could not be judged, for example because newer code wrote it: the stream is delivered again. */
  failure?: unknown;
}

export function groupByStream(records: readonly CommitRecord[], verify: VerifyCommit): StreamWork[] {
  const works = new Map<StreamId, StreamWork>();
  for (const { stored, index } of records) {
    const { streamId } = stored;
    const work = works.get(streamId) ?? {
      streamId,
      firstIndex: index,
      delivered: [],
      damages: [],
      target: 0 as Version,
    };
    works.set(streamId, work);
    // What cannot be trusted about a damaged record is its count: the store is asked about the version itself.
    let reached: number = stored.version;
    try {
      const answer = verified(stored, verify);
      if ('damage' in answer) work.damages.push(answer.damage);
      else {
        work.delivered.push(answer.commit);
        reached = lastVersion(answer.commit);
      }
    } catch (error) {
      work.failure ??= error;
    }
    work.target = Math.max(work.target, reached) as Version;
  }
  return [...works.values()];
}

/** Each record pulls the commits of its stream up to its own version; what a stream has beyond follows at the end. */
export function inBatchOrder(
  records: readonly CommitRecord[],
  gathered: ReadonlyMap<StreamId, readonly Commit[]>,
): Commit[] {
  const ordered: Commit[] = [];
  const taken = new Map<StreamId, number>();
  const take = (streamId: StreamId, upTo: number) => {
    const commits = gathered.get(streamId) ?? [];
    let next = taken.get(streamId) ?? 0;
    for (let commit = commits[next]; commit !== undefined && commit.version <= upTo; commit = commits[next]) {
      ordered.push(commit);
      next += 1;
    }
    taken.set(streamId, next);
  };
  for (const { stored } of records) take(stored.streamId, stored.version);
  for (const streamId of gathered.keys()) take(streamId, Number.MAX_SAFE_INTEGER);
  return ordered;
}
