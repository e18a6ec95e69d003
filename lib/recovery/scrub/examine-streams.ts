// Looks at single streams, now: for an operator who doubts a stream, and after a restore. Takes no lease and moves no patrol:
// findings are written so that two looks at once do no harm.

import { type ExaminedStream, examineStream } from './examine-stream.ts';
import { createWork, type ScrubDeps } from './scrub.ts';

export interface Examination {
  streams: ExaminedStream[];
  /** Streams that there was no time for. */
  notLookedAt: string[];
  closed: number;
  units: number;
}

/** @param remainingMs no further stream is begun when it is used up; a stream that is begun is finished */
export async function examineStreams(
  deps: ScrubDeps,
  streamIds: readonly string[],
  {
    remainingMs,
    asked,
  }: { remainingMs: () => number; asked: { requestId: string; requestedBy: string; reason: string } },
): Promise<Examination> {
  let units = 0;
  const spent = (more: number): void => {
    units += more;
  };
  const work = await createWork(deps, spent, 1);
  const streams: ExaminedStream[] = [];
  const notLookedAt: string[] = [];
  for (const streamId of new Set(streamIds)) {
    if (streams.length > 0 && remainingMs() <= 0) notLookedAt.push(streamId);
    else streams.push(await examineStream(work, streamId));
  }
  await work.recorder.announce();
  const closed = work.recorder.closed.length;
  await deps.audit.record({
    action: 'scrub',
    ...asked,
    input: { streamIds: streamIds.slice(0, AUDITED_MAX) },
    outcome: { met: work.recorder.met.length, closed, streams: streams.length, notLookedAt: notLookedAt.length },
  });
  return { streams, notLookedAt, closed, units };
}

const AUDITED_MAX = 100;
