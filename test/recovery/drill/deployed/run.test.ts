// The deployed drill on the memory engine: the real ground floor, the real state machine, the real rehearsal consumer.

import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { TableSchema } from '../../../../lib/platform/dynamodb/table-schema.ts';
import { createDrillEffects } from '../../../../lib/recovery/drill/deployed/effects.ts';
import { DRILL_DUE_MS } from '../../../../lib/recovery/drill/deployed/outcome.ts';
import { createDrillRecords } from '../../../../lib/recovery/drill/deployed/records.ts';
import { rehearsal, rehearsalReact, UNHEARD_STEP } from '../../../../lib/recovery/drill/deployed/rehearsal.ts';
import { type DeployedDrillDeps, runDeployedDrill } from '../../../../lib/recovery/drill/deployed/run.ts';
import type { RecoveryRun } from '../../../../lib/recovery/recover/run-recovery.ts';
import { createRecovery, type Recovery } from '../../recover/support.ts';

const EFFECTS: TableSchema = {
  name: 'Drill',
  partitionKey: { name: 'pk', type: 'S' },
  sortKey: { name: 'sk', type: 'S' },
};
let recovery: Recovery;
let deps: DeployedDrillDeps;
/** What the rehearsal's consumer does besides; by default nothing. */
let sabotage: (version: number) => void;
let deaths: number;

beforeEach(async () => {
  recovery = await createRecovery({ ownTables: [EFFECTS] });
  deaths = 0;
  sabotage = () => undefined;
  const { system, bench } = recovery;
  const table = { dynamo: system.dynamo, table: EFFECTS.name };
  const effects = createDrillEffects(table);
  const react = rehearsalReact({
    table: EFFECTS.name,
    isCured: effects.isCured,
    die: () => {
      deaths += 1;
    },
  });
  await system.addConsumer(rehearsal, async (event, context) => {
    sabotage(event.metadata.version);
    return react(event, context);
  });
  let runs = 0;
  deps = {
    eventStore: system.eventStore,
    deadLetters: system.deadLetters,
    effects,
    records: createDrillRecords({ dynamo: system.dynamo, table: 'Recovery' }),
    leases: bench.deps.leases,
    async recover(input) {
      runs += 1;
      const id = `drill-run-${runs}`;
      // A recovery that fails has a report, too.
      await recovery.run(input, id).catch(() => undefined);
      const report = recovery.report(id);
      return {
        id,
        executionArn: id,
        status: 'SUCCEEDED',
        result: report.result,
        key: `${id}.html`,
        report,
      } as RecoveryRun;
    },
    world: {
      ...system.world,
      timers: {
        async sleep(ms) {
          system.clock.advance(ms);
          await system.settle((entry) => entry.detailType === UNHEARD_STEP);
        },
      },
    },
    logger: system.logger,
    metrics: system.metrics,
  };
});

describe('a drill in AWS', () => {
  it('finds, repairs and proves what it injects into its own streams, and says so in figures', async () => {
    const answer = await runDeployedDrill(deps, {});
    expect(answer).toMatchObject({
      kind: 'done',
      outcome: { ok: true, problems: [], appended: 32, lost: 0, doubled: 0, reordered: 0 },
    });
    expect(answer.kind === 'done' && answer.outcome.findings.toSorted()).toEqual(['delivery-lost', 'poison-message']);
    expect(deaths).toBeGreaterThan(0);
    const { metrics } = recovery.system;
    expect(['DrillRuns', 'DrillFailures', 'DrillLostEvents'].map((name) => metrics.total(name))).toEqual([1, 0, 0]);
    expect(await deps.records.newest()).toMatchObject({ ok: true, appended: 32 });
  });

  it('fails, and says why, when an effect happens twice', async () => {
    const applied = deps.effects.applied;
    deps.effects = {
      ...deps.effects,
      applied: async (...input) => {
        const effects = await applied(...input);
        return [...effects, ...effects.slice(0, 1)];
      },
    };
    const answer = await runDeployedDrill(deps, { action: 'run' });
    expect(answer).toMatchObject({ outcome: { ok: false, doubled: 1, lost: 0 } });
    expect(recovery.system.metrics.total('DrillFailures')).toBe(1);
  });

  it('fails, and says why, when what fails goes on failing after the cure', async () => {
    sabotage = (version) => {
      if (version === 7) throw new Error('still broken');
    };
    const answer = await runDeployedDrill(deps, {});
    expect(answer).toMatchObject({ kind: 'done', outcome: { ok: false } });
    expect(answer.kind === 'done' && answer.outcome.problems.length).toBeGreaterThan(0);
    expect(await deps.records.newest()).toMatchObject({ ok: false });
  });

  it('runs alone', async () => {
    await deps.leases.acquire('drill', 'somebody', recovery.system.clock.now(), 60_000);
    expect(await runDeployedDrill(deps, {})).toMatchObject({ kind: 'another-drill-runs' });
    expect(await deps.records.newest()).toBeUndefined();
  });

  it('refuses what it does not know', async () => {
    await expect(runDeployedDrill(deps, { action: 'destroy' })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });
});

describe('the daily check', () => {
  const check = async () => {
    const answer = await runDeployedDrill(deps, { action: 'check' });
    return answer.kind === 'checked' && answer.onTime;
  };

  it('is content for 35 days after drills were switched on, and after each drill', async () => {
    const { clock, metrics } = recovery.system;
    expect(await check()).toBe(true);
    clock.advance(DRILL_DUE_MS - 1);
    expect(await check()).toBe(true);
    clock.advance(1);
    expect(await check()).toBe(false);
    await runDeployedDrill(deps, {});
    expect(await check()).toBe(true);
    clock.advance(DRILL_DUE_MS);
    expect(await check()).toBe(false);
    expect(metrics.values.filter(({ name }) => name === 'DrillOnTime').map(({ value }) => value)).toEqual([
      1, 1, 0, 1, 0,
    ]);
  });
});

it('the documented inputs are understood', async () => {
  const page = readFileSync(new URL('../../../../docs/operations/drill.md', import.meta.url), 'utf8');
  const inputs = [...page.matchAll(/```json\n(.*?)```/gs)].map(([, json]) => JSON.parse(json as string) as unknown);
  expect(await Promise.all(inputs.map(async (input) => (await runDeployedDrill(deps, input)).kind))).toEqual([
    'done',
    'checked',
  ]);
  for (const { name } of recovery.system.metrics.values.filter(({ name }) => name.startsWith('Drill'))) {
    expect(page).toContain(`\`${name}\``);
  }
});
