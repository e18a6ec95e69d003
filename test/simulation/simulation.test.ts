// The short form of `npm run simulate` and `npm run mutants`: that a seed repeats itself, that a few hundred events under
// faults break nothing, that every planted fault still fits the code, and that some of them are noticed.

import { describe, expect, it } from '@jest/globals';
import { FOUND } from './found.ts';
import { MUTANTS } from './mutants/catalogue.ts';
import { mutatedSource } from './mutants/plant.ts';
import { runMutant } from './mutants/run-mutants.ts';
import { runPool } from './runner/pool.ts';
import { exitCode, reportOf } from './runner/report.ts';
import { emptySummary } from './runner/result.ts';
import { BRANCHES } from './scenario/branches.ts';
import { planOf } from './scenario/plan.ts';
import { runSeed } from './scenario/run.ts';
import { ALL_FAULT_KINDS } from './world/fault-kinds.ts';

const MINUTE_MS = 60_000;

describe('the simulation', () => {
  it('gives the same seed the same trace, and another seed another one', async () => {
    const [once, again, other] = [await runSeed(7), await runSeed(7), await runSeed(8)];
    expect(again.result).toEqual(once.result);
    expect(other.result.traceHash).not.toBe(once.result.traceHash);
  });

  it('plans at least 60 events, three streams, two consumers and twelve kinds of faults with rates of their own', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const { appends, streams, consumers, faults } = planOf(seed);
      expect(appends.reduce((sum, { eventIds }) => sum + eventIds.length, 0)).toBeGreaterThanOrEqual(60);
      expect(streams).toHaveLength(3);
      expect(consumers.map(({ effects }) => effects)).toEqual(['transactional', 'idempotent']);
      const rates = Object.values(faults.rates);
      expect(rates.length).toBeGreaterThanOrEqual(12);
      expect(new Set(rates).size).toBe(rates.length);
    }
  });

  it(
    'breaks nothing in its first seeds, whichever thread runs them',
    async () => {
      const summary = await runPool({ firstSeed: 1, seeds: 24, workers: 2, stopAfterViolations: 1 });
      expect(summary.violations).toEqual([]);
      expect(summary.seeds).toBe(24);
      expect(summary.events).toBeGreaterThan(24 * 60);
    },
    2 * MINUTE_MS,
  );

  it.each(FOUND)(
    'breaks nothing in seed $seed, where once $what',
    async ({ seed }) => {
      expect((await runSeed(seed)).result.violation).toBeUndefined();
    },
    MINUTE_MS,
  );

  it('fails when a fault or a branch is hit in less than 1 % of the seeds', () => {
    const summary = { ...emptySummary(), seeds: 1_000 };
    for (const name of BRANCHES) summary.branches[name] = 10;
    for (const kind of ALL_FAULT_KINDS) summary.faults[kind] = 10;
    expect(exitCode(reportOf(summary, 1, new Map()))).toBe(0);
    const seldom = { ...summary, branches: { ...summary.branches, 'consumer: LeasesLost': 9 } };
    const report = reportOf(seldom, 1, new Map());
    expect(report).toMatchObject({ ok: false, tooSeldom: ['consumer: LeasesLost'] });
    expect(exitCode(report)).toBe(3);
  });
});

describe('the mutants', () => {
  it('are at least 25, each with a name of its own and a text that stands exactly once in its file', () => {
    expect(MUTANTS.length).toBeGreaterThanOrEqual(25);
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
    for (const mutant of MUTANTS) expect(mutatedSource(mutant)).not.toBe('');
  });

  it.each([
    'effects and checkpoint are not one transaction',
    'markers are never completed',
    'the catch-up passes over an event that was not delivered',
  ])(
    'are noticed: %s',
    async (name) => {
      const mutant = MUTANTS.find((one) => one.name === name);
      if (mutant === undefined) throw new Error(`no mutant "${name}"`);
      expect(await runMutant(mutant, { firstSeed: 1, seeds: 20, workers: 1 })).toMatchObject({ killed: true });
    },
    2 * MINUTE_MS,
  );
});
