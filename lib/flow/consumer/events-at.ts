// Selected events of one stream, in order. Selections may be far apart: what is near is read on to, what is not gets a read
// of its own, so that a long stream is not read for two events of it.

import { StreamDamagedError } from '../../model/errors.ts';
import type { StreamId, Version } from '../../model/ids.ts';
import type { EventStore } from '../event-store/port.ts';
import type { NextEvent } from './run.ts';

/** Reading on over this many events costs less than a request of its own (small events: about 20 KB, 5 read units). */
const NEAR = 50;

/** @param versions ascending @throws StreamDamagedError when one of them is not there */
export async function* eventsAt(
  eventStore: Pick<EventStore, 'readCommits'>,
  streamId: StreamId,
  versions: readonly Version[],
): AsyncGenerator<NextEvent> {
  for (const run of nearRuns(versions)) {
    const wanted = new Set(run);
    const [from, to] = [run[0] as Version, run.at(-1) as Version];
    for await (const commit of eventStore.readCommits(streamId, from, { limit: to - from + 1 })) {
      for (const event of commit.events) {
        if (wanted.delete(event.metadata.version)) yield { event, commitHash: commit.hash };
      }
    }
    const [missing] = wanted;
    if (missing !== undefined) throw new StreamDamagedError(streamId, missing, `no commit holds version ${missing}`);
  }
}

export function nearRuns(versions: readonly Version[]): Version[][] {
  const runs: Version[][] = [];
  for (const version of versions) {
    const run = runs.at(-1);
    if (run !== undefined && version - (run.at(-1) as Version) <= NEAR) run.push(version);
    else runs.push([version]);
  }
  return runs;
}
