// The deployed drill on the memory engine: the real ground floor, the real state machine, the real rehearsal consumer.

import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { TableSchema } from '../../../../lib/platform/dynamodb/table-schema.ts';
import { createDrillEffects } from '../../../../lib/recovery/drill/deployed/effects.ts';
import { DRILL_DUE_MS } from '../../../../lib/recovery/drill/deployed/outcome.ts';
import { createDrillRecords } from '../../../../lib/recovery/drill/deployed/records.ts';
import { rehearsal, rehearsalReact, UNHEARD_STEP } from '../../../../lib/recovery/drill/deployed/rehearsal.ts';
import { rehearsalVerify } from '../../../../lib/recovery/drill/deployed/rehearsal-verify.ts';
import { type DeployedDrillDeps, runDeployedDrill } from '../../../../lib/recovery/drill/deployed/run.ts';
import type { RecoveryRun } from '../../../../lib/recovery/recover/run-recovery.ts';
import { verify } from '../../../../lib/recovery/verify/verify.ts';
import { createRecovery, type Recovery, TABLE_NAMES } from '../../recover/support.ts';

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
  const verify = rehearsalVerify({ effects, now: () => system.clock.now() });
  await system.addConsumer(
    rehearsal,
    async (event, context) => {
      sabotage(event.metadata.version);
      return react(event, context);
    },
    { verify },
  );
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

describe("the rehearsal consumer's own verify, after a drill", () => {
  /** Rows of the effects table, by stream. */
  const change = async (make: (order: number[]) => number[] | undefined) => {
    const { system } = recovery;
    const { Items = [] } = await system.dynamo.scan({ TableName: EFFECTS.name });
    const row = Items.find(({ sk }) => String(sk).endsWith('-clean')) as { order: number[] };
    const order = make(row.order);
    if (order === undefined) await system.dynamo.delete({ TableName: EFFECTS.name, Key: keyOf(row) });
    else await system.dynamo.put({ TableName: EFFECTS.name, Item: { ...row, order } });
  };
  const keyOf = (row: object) => ({ pk: (row as { pk: string }).pk, sk: (row as { sk: string }).sk });
  const violations = async () => {
    const { dynamo, questions, clock } = recovery.system;
    const verdict = await verify({ dynamo, tables: TABLE_NAMES, questions }, { now: clock.now() });
    return verdict.violations.map(({ kind, version }) => `${kind} ${version}`);
  };

  beforeEach(async () => {
    await runDeployedDrill(deps, {});
  });

  it('finds nothing wrong', async () => {
    expect(await violations()).toEqual([]);
  });

  it.each([
    ['dropped', (order: number[]) => order.filter((version) => version !== 3), ['effect 3']],
    ['doubled', (order: number[]) => [...order, 8], ['effect 8']],
    ['reordered', (order: number[]) => [2, 1, ...order.slice(2)], ['effect 1']],
  ])('sees an effect that was %s', async (_what, make, found) => {
    await change(make);
    expect(await violations()).toEqual(found);
  });

  it('sees an effect of what is no step of its consumer', async () => {
    const verify = rehearsalVerify({ effects: { orderOf: async () => [1, 2, 3] }, now: () => 0 });
    const step = (version: number) => ({
      event: { data: { runId: 'r' }, metadata: { version, timestamp: new Date(0) } },
      times: { min: 1, max: 1 },
    });
    const events = (async function* () {
      yield* [step(1), step(3)];
    })();
    const stream = { streamId: 'drill-r-clean', checkpoint: 3, events } as never;
    expect(await verify(stream, {} as never)).toMatchObject([{ version: 2 }]);
  });

  it('sees that all effects of a stream are gone, until they are too old to be there', async () => {
    await change(() => undefined);
    expect(await violations()).toHaveLength(8);
    recovery.system.clock.advance(91 * 86_400_000);
    expect(await violations()).toEqual([]);
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
