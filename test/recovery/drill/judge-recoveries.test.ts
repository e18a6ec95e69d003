import { describe, expect, it } from '@jest/globals';
import { reportNames } from '../../../lib/cli/drill-reports.ts';
import { recoveryProblems, recoveryResult } from '../../../lib/recovery/drill/judge-recoveries.ts';
import { REPRESENTATIVE, SCENARIOS } from '../../../lib/recovery/drill/scenarios/index.ts';
import type { RecoveryRun } from '../../../lib/recovery/recover/run-recovery.ts';
import { sampleReport } from '../../support/sample-report.ts';

const sample = sampleReport();
const verdict = { ...sample.after, ok: true, violations: [], violationCount: 0 };
const run = (result: RecoveryRun['result'], causes: string[], after: unknown = verdict): RecoveryRun =>
  ({
    id: 'r-1',
    executionArn: 'arn',
    status: 'SUCCEEDED',
    result,
    key: 'recoveries/r-1/report.html',
    report: { ...sample, result, after, findings: causes.map((cause) => ({ cause })) },
  }) as unknown as RecoveryRun;

describe('the recoveries of a drill', () => {
  it('are right when the last one proved that all is there and what was injected was named', () => {
    expect(recoveryProblems([run('recovered', ['poison-message'])], ['poison-message'])).toEqual([]);
    expect(recoveryProblems([run('nothing-to-do', [])], [])).toEqual([]);
    const proposedFirst = [run('proposed', ['poison-message'], null), run('recovered', ['behind'])];
    expect(recoveryProblems(proposedFirst, ['poison-message', 'behind'])).toEqual([]);
  });

  it('may name an injection in one of several ways', () => {
    const wanted = [['poison-message', 'consumer-failing']] as const;
    expect(recoveryProblems([run('recovered', ['consumer-failing'])], wanted)).toEqual([]);
    expect(recoveryProblems([run('recovered', ['behind'])], wanted)).toEqual([
      'the diagnosis did not name "poison-message" or "consumer-failing", but behind',
    ]);
  });

  it('are wrong when a cause was not named, and say which were', () => {
    expect(recoveryProblems([run('recovered', ['behind'])], ['broker-down', 'behind'])).toEqual([
      'the diagnosis did not name "broker-down", but behind',
    ]);
    expect(recoveryProblems([run('recovered', [])], ['throttled'])).toHaveLength(1);
  });

  it.each(['incomplete', 'failed', 'refused', 'proposed'] as const)('are wrong when the last one is %s', (result) => {
    expect(recoveryProblems([run('recovered', []), run(result, [])], [])).toHaveLength(1);
  });

  it('are wrong without one, without a verification, and when it is not ok', () => {
    expect(recoveryProblems([], [])).toHaveLength(1);
    expect(recoveryProblems([run('recovered', [], null)], [])).toHaveLength(1);
    expect(recoveryProblems([run('recovered', [], { ...verdict, ok: false })], [])).toHaveLength(1);
  });

  it('are wrong when a consumer with a verify() was not asked, or did not say that all is there', () => {
    expect(recoveryProblems([run('recovered', [])], [], ['inventory'])).toEqual([]);
    expect(recoveryProblems([run('recovered', [])], [], ['notification'])).toEqual([
      "the effects of notification are not-verified, by the recovery's verification",
    ]);
    expect(recoveryProblems([run('recovered', [])], [], ['gone'])).toHaveLength(1);
  });

  it('come into the result with what they named, once each', () => {
    const result = recoveryResult(run('recovered', ['poison-message', 'poison-message', 'behind']));
    expect(result).toMatchObject({ result: 'recovered', findings: ['poison-message', 'behind'] });
    expect(result.seconds).toBeGreaterThanOrEqual(0);
  });

  it('have one file name each', () => {
    const recovery = recoveryResult(run('recovered', []));
    const names = reportNames([
      { name: 'one', recoveries: [recovery] },
      { name: 'two', recoveries: [recovery, recovery] },
      { name: 'none', recoveries: [] },
    ]);
    expect(names.map(({ name }) => name)).toEqual(['one', 'two-1', 'two-2']);
  });
});

it('scenarios have names of their own', () => {
  expect(new Set(SCENARIOS.map(({ name }) => name)).size).toBe(SCENARIOS.length);
  for (const scenario of REPRESENTATIVE) expect(SCENARIOS).toContain(scenario);
  // What the README shows.
  expect(REPRESENTATIVE[0]?.name).toBe('consumer-crash');
});
