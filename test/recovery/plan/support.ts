// A small whole system and the planner on top.

import { createOpenGaps } from '../../../lib/recovery/gap/open-gaps.ts';
import { makePlan, type PlanDeps, type PlanRequest } from '../../../lib/recovery/plan/make-plan.ts';
import { createPlans } from '../../../lib/recovery/plan/plans.ts';
import type { PlannedStream } from '../../../lib/recovery/plan/port.ts';
import { createSmallSystem, TABLES } from '../../support/small-system.ts';

export async function createPlanner() {
  const system = await createSmallSystem();
  const table = { dynamo: system.dynamo, table: TABLES.recoveryTable };
  const openGaps = createOpenGaps({ ...table, world: system.world });
  const deps: PlanDeps = {
    dynamo: system.dynamo,
    eventsTable: TABLES.eventsTable,
    logTable: TABLES.logTable,
    recoveryTable: TABLES.recoveryTable,
    deployment: 'here',
    registry: system.registry,
    log: system.log,
    checkpoints: system.checkpoints,
    openGaps,
    plans: createPlans({ ...table, world: system.world }),
    world: system.world,
  };
  const plan = async (request: Partial<PlanRequest> & Pick<PlanRequest, 'mode'>) => {
    const made = await makePlan(deps, {
      consumer: 'inventory',
      selection: request.mode === 'fill' || request.mode === 'backfill' ? {} : { everything: true },
      options: { ratePerSecond: 100, maxFailureRate: 0.1 },
      requestedBy: 'anna',
      reason: 'a test',
      ...request,
    });
    const rows: PlannedStream[] = [];
    for await (const row of deps.plans.rows(made.id)) rows.push(row);
    return { ...made, planned: rows };
  };
  return { system, deps, openGaps, plan };
}
