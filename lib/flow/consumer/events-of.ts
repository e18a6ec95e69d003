// The events between what is resolved and what is wanted, in order and without a hole: from the messages while they follow
// the checkpoint, from the store for the rest. What the store should hold and does not is damage, never a shorter answer.

import { StreamDamagedError } from '../../model/errors.ts';
import type { Version } from '../../model/ids.ts';
import { endsEarly } from './damage-kind.ts';
import { decideCatchUp } from './decide-catch-up.ts';
import { count, type NextEvent, type StreamRun } from './run.ts';

/**
 * In order, some at a time: those of the messages, then those of each page of the store.
 * @throws StreamDamagedError when the store ends before `wanted` or has a hole
 */
export async function* eventsOf(run: StreamRun, wanted: Version): AsyncGenerator<readonly NextEvent[]> {
  const { stored } = run.session;
  // A second try and a replay read the truth: a message is a courtesy that may be what is wrong.
  const isRepetition = run.isAlone || stored.attempting !== undefined || stored.replay !== undefined;
  const delivered = isRepetition ? new Map() : run.work.delivered;
  const plan = decideCatchUp({ version: stored.version, wanted, delivered });
  if (plan.kind === 'up-to-date') return;
  if (plan.fromMessages.length > 0) yield plan.fromMessages;
  if (plan.storeFrom === undefined) return;
  const { streamId } = run.work;
  count(run.batch.engine, 'StoreReads');
  let next = plan.storeFrom;
  const { eventStore } = run.batch.engine;
  for await (const commits of eventStore.readCommitPages(streamId, next, { limit: wanted - next + 1 })) {
    const events: NextEvent[] = [];
    for (const commit of commits) {
      for (const event of commit.events) {
        const { version } = event.metadata;
        if (version < next || version > wanted) continue;
        if (version > next)
          throw new StreamDamagedError(streamId, next, `version ${version} follows version ${next - 1}`);
        events.push({ event, commitHash: commit.hash });
        next = (next + 1) as Version;
      }
    }
    yield events;
    if (next > wanted) return;
  }
  throw new StreamDamagedError(streamId, next, endsEarly(next - 1, wanted));
}
