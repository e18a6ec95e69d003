// What came of one deployed drill, and whether drills are on time. Pure.

import type { Cause } from '../../diagnose/types.ts';
import type { RecoveryRun } from '../../recover/run-recovery.ts';
import { recoveryProblems, type Wanted } from '../judge-recoveries.ts';
import type { Effect, LedgerEntry } from '../ledger.ts';
import { judge, problemsOf } from '../verdict.ts';
import { rehearsal } from './rehearsal.ts';

/** One row, and the answer of the function. */
export interface DrillOutcome {
  runId: string;
  ok: boolean;
  appended: number;
  lost: number;
  doubled: number;
  reordered: number;
  /** Causes that the recovery named. */
  findings: Cause[];
  /** Key of the recovery's report in the archive bucket. */
  report?: string;
  problems: string[];
  startedAt: number;
  endedAt: number;
}

export interface DrillFacts {
  runId: string;
  startedAt: number;
  endedAt: number;
  entries: readonly LedgerEntry[];
  effects: readonly Effect[];
  recoveries: readonly RecoveryRun[];
  /** What the recovery must have named: what had really gone wrong by then. */
  finds: readonly Wanted[];
  /** Dead letters of the run that are still open. */
  openLetters: number;
  /** What kept the drill from going on. */
  problems: readonly string[];
}

export function outcomeOf(facts: DrillFacts): DrillOutcome {
  const { runId, startedAt, endedAt, entries, effects, recoveries, finds, openLetters } = facts;
  const { name, eventTypes, effects: kind } = rehearsal;
  const verdict = judge(entries, {
    name,
    effects: kind,
    eventTypes,
    applied: effects,
    order: effects,
    kills: 0,
    unplannedEnds: 0,
  });
  const streams = new Set(entries.map(({ streamId }) => streamId)).size;
  const problems = [
    ...facts.problems,
    ...problemsOf(verdict, streams),
    ...recoveryProblems(recoveries, finds),
    ...(openLetters > 0 ? [`${openLetters} dead letters were left`] : []),
  ];
  return {
    runId,
    ok: problems.length === 0,
    appended: entries.length,
    lost: verdict.lost,
    doubled: verdict.doubled,
    reordered: verdict.reordered,
    findings: [...new Set(recoveries.flatMap(({ report }) => report.findings.map(({ cause }) => cause)))],
    ...(recoveries.length > 0 && { report: recoveries.at(-1)?.key }),
    problems,
    startedAt,
    endedAt,
  };
}

/** A month of 31 days, and four days for whoever repairs what kept it from running. */
export const DRILL_DUE_MS = 35 * 86_400_000;

/** Did a drill end within the last 35 days, or were drills switched on less long ago? */
export const isOnTime = (now: number, since: number, newest: Pick<DrillOutcome, 'endedAt'> | undefined): boolean =>
  now - Math.max(since, newest?.endedAt ?? 0) < DRILL_DUE_MS;
