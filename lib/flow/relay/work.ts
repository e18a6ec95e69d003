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
    };
    works.set(streamId, work);
    try {
      const answer = verified(stored, verify);
      if ('damage' in answer) work.damages.push(answer.damage);
      else work.delivered.push(answer.commit);
    } catch (error) {
      work.failure ??= error;
    }
  }
  return [...works.values()];
}

/** What of the work is already in the log, what is new, and how far the stream has come at least. */
export function splitAt(work: StreamWork, head: number): { known: Commit[]; ahead: Commit[]; target: Version } {
  const ahead = work.delivered.filter((commit) => commit.version > head);
  // A damaged record's count is not to be trusted: the store is asked about its first version.
  const reached = [...ahead.map(lastVersion), ...work.damages.map(({ version }) => version)];
  return {
    known: work.delivered.filter((commit) => commit.version <= head),
    ahead,
    target: Math.max(0, ...reached) as Version,
  };
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
