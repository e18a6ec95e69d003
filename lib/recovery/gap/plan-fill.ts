// The plan of an automatic fill: before a scan or a recovery wakes the consumer for more than one stream, it is written down
// which streams and events that is, what it costs, and whom it touches. Made and applied at once: a fill repeats nothing, and
// the consumer compares every wake-up with its own checkpoint. A plan that fails is made anew a few times before the fill waits.

import type { RegisteredConsumer } from '../../model/consumer.ts';
import { retry } from '../../platform/retry.ts';
import { makePlan, type PlanDeps } from '../plan/make-plan.ts';
import { appliedWrite } from '../plan/plans.ts';
import type { OpenGap } from './open-gaps.ts';

/** What the plan's time is reckoned with: the wake-ups go out at once, and a small consumer reacts to so many events a second. */
const RATE_PER_SECOND = 100;

/** Beyond the retries of each request: at most 200 + 400 = 600 ms of pauses, which a scan has even with many consumers. */
const TRIES = { attempts: 3, baseDelayMs: 200, maxDelayMs: 1_000 } as const;

/** @returns the plan's id @throws what the last try met */
export type PlanFill = (consumer: Pick<RegisteredConsumer, 'name'>, gaps: readonly OpenGap[]) => Promise<string>;

export const createPlanFill =
  (deps: Omit<PlanDeps, 'openGaps'>): PlanFill =>
  async ({ name }, gaps) => {
    const inOrder = gaps.toSorted((a, b) => (a.streamId < b.streamId ? -1 : 1));
    const openGaps = { list: () => asyncOf(inOrder) };
    const planned = async (): Promise<string> => {
      const plan = await makePlan(
        { ...deps, openGaps },
        {
          mode: 'fill',
          consumer: name,
          selection: {},
          options: { ratePerSecond: RATE_PER_SECOND, maxFailureRate: 1 },
          requestedBy: 'gap scan',
          reason: `${gaps.length} streams with gaps`,
        },
      );
      await deps.dynamo.transactWrite({ TransactItems: [appliedWrite(deps.recoveryTable, plan.id)] });
      return plan.id;
    };
    // Whatever it failed of: each try is a plan of its own.
    return retry(planned, { ...TRIES, isRetryable: () => true, ...deps.world });
  };

async function* asyncOf<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}
