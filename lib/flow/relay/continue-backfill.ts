// A backfill too long for one batch, in an invocation of its own: rounds of verified commits, each sequenced and published,
// until the target is reached, damage is met or the time is over; then it wakes itself up again. The target is fixed and
// every wake-up gets on, so the chain ends. A lost wake-up loses nothing: the stream's next record starts another chain.

import { EventRecoveryError } from '../../model/errors.ts';
import { streamId as checkStreamId, version as checkVersion, type StreamId, type Version } from '../../model/ids.ts';
import { type BackfillDetail, WAKE_UP_FORMAT } from '../../model/wake-up.ts';
import { publishMoved, type StreamFailure, sequenceAndPublish } from './advance.ts';
import { CONTINUATION_LIMITS, createBudget } from './budget.ts';
import { RELAY_METRICS, type RelayDependencies } from './dependencies.ts';
import { gatherUnsequenced } from './known-to-log.ts';
import { recordDamages } from './record-damages.ts';

/**
 * Wake-ups in one chain. With 45 s of work each and 1,000 commits a second, 1,000 of them fill up 45 million commits:
 * a chain that needs more does not get on, and is reported.
 */
export const HOPS_MAX = 1_000;
/** Rounds in one invocation; time ends it long before. */
const ROUNDS_MAX = 10_000;

export interface BackfillReport {
  outcome: 'reached' | 'damaged' | 'continued' | 'given-up';
  streamId: StreamId;
  version: Version;
  target: Version;
  commits: number;
}

/** @throws EventRecoveryError when a round failed; whoever invoked it tries again */
export async function continueBackfill(
  deps: RelayDependencies,
  detail: BackfillDetail,
  options: { remainingMs: () => number },
): Promise<BackfillReport> {
  const streamId = checkStreamId(detail.streamId);
  let target = checkVersion(detail.target);
  let commits = 0;
  const report = async (outcome: BackfillReport['outcome']): Promise<BackfillReport> => {
    const [sequenced] = [...(await deps.log.directory([streamId])).values()];
    // Says once more where the stream is: an earlier try may have sequenced and died before it published.
    const failures = new Map<StreamId, StreamFailure>();
    if (sequenced !== undefined) await publishMoved(deps, [sequenced], failures);
    raise(streamId, failures);
    const answer = { outcome, streamId, version: (sequenced?.version ?? 0) as Version, target, commits };
    deps.logger.info('backfill', { ...answer, hops: detail.hops });
    return answer;
  };

  const limits = { ...CONTINUATION_LIMITS, ...deps.limits?.continuation };
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const budget = createBudget(limits, options.remainingMs);
    if (!budget.hasTime()) {
      if (detail.hops + 1 >= HOPS_MAX) return giveUp();
      await deps.continuations.send({ format: WAKE_UP_FORMAT, streamId, target, hops: detail.hops + 1 });
      return report('continued');
    }
    const directory = await deps.log.directory([streamId]);
    const sequenced = directory.get(streamId);
    const version = sequenced?.version ?? (0 as Version);
    if (version >= target) {
      const more = await deps.backfills.finish(streamId, version);
      if (more === undefined) return report('reached');
      target = more;
      continue;
    }
    target = await deps.backfills.mark(streamId, target, deps.world.clock.now());
    const gathered = await gatherUnsequenced(deps, { streamId, sequenced, delivered: [], target, budget });
    const advance = await sequenceAndPublish(deps, gathered.commits, directory);
    commits += advance.commits;
    deps.metrics.count(RELAY_METRICS.commitsBackfilled, advance.commits);
    const damages = [...gathered.damages, ...(advance.damages.get(streamId) ?? [])];
    await recordDamages(deps, new Map([[streamId, damages]]), advance.failures);
    raise(streamId, advance.failures);
    if (damages.length > 0) {
      await deps.backfills.abandon(streamId);
      return report('damaged');
    }
  }
  return giveUp();

  async function giveUp(): Promise<BackfillReport> {
    const version = ((await deps.log.directory([streamId])).get(streamId)?.version ?? 0) + 1;
    const failures = new Map<StreamId, StreamFailure>();
    const given = `the backfill up to version ${target} did not end in ${HOPS_MAX} wake-ups`;
    await recordDamages(
      deps,
      new Map([[streamId, [{ kind: 'unsequenced-commit', version, detail: given }]]]),
      failures,
    );
    raise(streamId, failures);
    await deps.backfills.abandon(streamId);
    return report('given-up');
  }
}

function raise(streamId: StreamId, failures: ReadonlyMap<StreamId, StreamFailure>): void {
  const failure = failures.get(streamId);
  if (failure === undefined) return;
  throw new EventRecoveryError(
    'BACKFILL_INTERRUPTED',
    `the backfill of stream "${streamId}" was interrupted: ${failure.code} ${failure.message}; remedy: Lambda tries it again by itself`,
    { retryable: true, facts: { streamId, ...failure } },
  );
}
