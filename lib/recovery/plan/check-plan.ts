// Is what a plan was made from still so? Refuses a plan of another deployment, of a consumer that the registry describes
// otherwise by now, and one of whose streams has another checkpoint. What a redelivery does depends on the generation alone.

import type { Checkpoints } from '../../flow/checkpoint/port.ts';
import type { Registry } from '../../flow/registry/port.ts';
import { EventRecoveryError } from '../../model/errors.ts';
import { registryFingerprint } from './fingerprint.ts';
import { activeConsumer } from './make-plan.ts';
import { batches } from './planned-rows.ts';
import type { Plan, PlannedStream, Plans, StoredPlan } from './port.ts';

const BATCH = 100;

export interface CheckPlanDeps {
  deployment: string;
  registry: Pick<Registry, 'get'>;
  checkpoints: Pick<Checkpoints, 'getMany'>;
  plans: Pick<Plans, 'rows'>;
}

/** @throws EventRecoveryError `PLAN_OF_ANOTHER_DEPLOYMENT`, `PLAN_STALE`, `CONSUMER_NOT_DEPLOYED` */
export async function checkPlan(deps: CheckPlanDeps, plan: Plan): Promise<void> {
  checkDeployment(deps, plan);
  const consumer = await activeConsumer(deps.registry, plan.consumer);
  if (registryFingerprint(consumer) !== plan.madeFrom.registry)
    throw stale(plan, `the registry entry of "${plan.consumer}" changed`);
  for await (const rows of batches(deps.plans.rows(plan.id), BATCH)) {
    const keys = rows.map(({ streamId }) => ({ consumer: plan.consumer, streamId }));
    const now = new Map((await deps.checkpoints.getMany(keys)).map((one) => [one.streamId, one]));
    for (const row of rows) {
      const { version = 0, generation = 0 } = now.get(row.streamId) ?? {};
      if (isAsSeen(plan, row, { version, generation })) continue;
      throw stale(
        plan,
        `stream "${row.streamId}" was at version ${row.checkpoint} of generation ${row.generation}, and is at ${version} of ${generation}`,
      );
    }
  }
}

/** @throws EventRecoveryError `PLAN_OF_ANOTHER_DEPLOYMENT` */
export function checkDeployment({ deployment: here }: { deployment: string }, { id, madeFrom }: StoredPlan): void {
  const { deployment } = madeFrom;
  if (deployment === here) return;
  throw new EventRecoveryError(
    'PLAN_OF_ANOTHER_DEPLOYMENT',
    `plan ${id} was made for deployment "${deployment}", this is "${here}"; remedy: plan again here`,
    { facts: { planId: id, deployment, here } },
  );
}

function isAsSeen(
  { mode }: Pick<Plan, 'mode'>,
  row: PlannedStream,
  now: { version: number; generation: number },
): boolean {
  // A backfill goes to whatever has passed, and waits for the rest.
  if (mode === 'backfill') return true;
  if (mode === 'redeliver') return now.generation === row.generation && now.version >= row.to;
  return now.generation === row.generation && now.version === row.checkpoint;
}

const stale = ({ id }: Plan, what: string): EventRecoveryError =>
  new EventRecoveryError(
    'PLAN_STALE',
    `plan ${id} is stale: ${what} since it was made; remedy: plan again and look at it, or start with "replan": true`,
    { facts: { planId: id, changed: what } },
  );
