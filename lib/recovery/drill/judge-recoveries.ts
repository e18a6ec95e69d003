// What the recoveries of a scenario must have said and done: the last one proved that everything is there, and together they
// named what was injected, although nobody had told them. Pure.

import type { Cause } from '../diagnose/types.ts';
import type { RecoveryRun } from '../recover/run-recovery.ts';

/** One element of `recoveries` in the JSON output. */
export interface RecoveryResult {
  id: string;
  result: RecoveryRun['result'];
  /** Causes that the diagnosis named, most urgent first. */
  findings: Cause[];
  seconds: number;
  /** Of the HTML report in the archive bucket; `.json` and `.md` stand beside it. */
  key: string;
}

export const recoveryResult = ({ id, result, key, report }: RecoveryRun): RecoveryResult => ({
  id,
  result,
  findings: [...new Set(report.findings.map(({ cause }) => cause))],
  seconds: Math.round((report.endedAt - report.startedAt) / 100) / 10,
  key,
});

const COMPLETE: readonly RecoveryRun['result'][] = ['recovered', 'nothing-to-do'];

/** A cause that must be named; several: one of them, where the same injection may show itself in either way. */
export type Wanted = Cause | readonly Cause[];

/**
 * Sentences about what is wrong.
 * @param verifying consumers with a `verify` of their own
 */
export function recoveryProblems(
  runs: readonly RecoveryRun[],
  finds: readonly Wanted[],
  verifying: readonly string[] = [],
): string[] {
  const problems: string[] = [];
  const last = runs.at(-1);
  if (last === undefined) return ['no recovery was run, so nothing was proved'];
  const { result, report } = last;
  if (!COMPLETE.includes(result)) {
    const steps = report.steps.map(({ name, outcome, summary }) => `${name} ${outcome}: ${summary}`);
    problems.push(`the recovery ended as "${result}": ${steps.slice(-2).join('; ')}`);
  }
  if (report.after?.ok !== true) {
    const [violation] = report.after?.violations ?? [];
    problems.push(`the recovery's verification is not ok: ${violation?.detail ?? 'it did not come to it'}`);
  }
  for (const name of verifying) {
    const effects = report.after?.consumers.find(({ consumer }) => consumer === name)?.effects;
    if (effects?.status === 'verified') continue;
    problems.push(`the effects of ${name} are ${effects?.status ?? 'not looked at'}, by the recovery's verification`);
  }
  const named = new Set(runs.flatMap((run) => run.report.findings.map(({ cause }) => cause)));
  for (const wanted of finds) {
    const causes = [wanted].flat();
    if (causes.some((cause) => named.has(cause))) continue;
    problems.push(`the diagnosis did not name "${causes.join('" or "')}", but ${[...named].join(', ') || 'nothing'}`);
  }
  return problems;
}
