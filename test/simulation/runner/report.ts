// What the simulation prints: the JSON document of design section 9, and the same for people. Pure.

import { BRANCHES } from '../scenario/branches.ts';
import type { Overrides } from '../scenario/plan.ts';
import { ALL_FAULT_KINDS } from '../world/fault-kinds.ts';
import type { Summary } from './result.ts';
import { reproduceCommand } from './shrink.ts';

export interface SimulationReport {
  ok: boolean;
  seeds: number;
  violations: { seed: number; kind: string; reproduce: string; detail: string }[];
  faults: Record<string, number>;
  branches: Record<string, number>;
  events: number;
  seconds: number;
  simulatedHours: number;
  /** Kinds and branches that were hit too seldom; empty below 1,000 seeds. */
  tooSeldom: string[];
}

/** Coverage of fewer seeds says nothing about 1 %. */
const COVERAGE_FROM_SEEDS = 1_000;
const COVERAGE_SHARE = 0.01;

export function reportOf(summary: Summary, seconds: number, shrunk: ReadonlyMap<number, Overrides>): SimulationReport {
  const faults = Object.fromEntries(ALL_FAULT_KINDS.map((kind) => [kind, summary.faults[kind] ?? 0]));
  const branches = Object.fromEntries(BRANCHES.map((name) => [name, summary.branches[name] ?? 0]));
  const tooSeldom =
    summary.seeds < COVERAGE_FROM_SEEDS
      ? []
      : Object.entries({ ...faults, ...branches })
          .filter(([, hits]) => hits < summary.seeds * COVERAGE_SHARE)
          .map(([name]) => name);
  return {
    ok: summary.violations.length === 0 && tooSeldom.length === 0,
    seeds: summary.seeds,
    violations: summary.violations.map(({ seed, violation }) => ({
      seed,
      kind: violation.kind,
      reproduce: reproduceCommand(seed, shrunk.get(seed)),
      detail: violation.detail,
    })),
    faults,
    branches,
    events: summary.events,
    seconds: Math.round(seconds * 10) / 10,
    simulatedHours: Math.round(summary.simulatedMs / 3_600_000),
    tooSeldom,
  };
}

export function exitCode(report: SimulationReport): number {
  if (report.violations.length > 0) return 1;
  return report.tooSeldom.length > 0 ? 3 : 0;
}

export function formatReport(report: SimulationReport): string {
  const { seeds, events, seconds, simulatedHours } = report;
  const share = (hits: number): string => `${((100 * hits) / Math.max(1, seeds)).toFixed(1)} %`.padStart(8);
  const table = (title: string, hits: Record<string, number>): string[] => [
    '',
    `${title} (share of the seeds that hit it)`,
    ...Object.entries(hits).map(([name, count]) => `  ${name.padEnd(28)} ${share(count)}`),
  ];
  const lines = [
    `${seeds} seeds, ${events} events, ${simulatedHours} simulated hours in ${seconds} s`,
    ...table('faults', report.faults),
    ...table('recovery branches', report.branches),
    '',
    `violations: ${report.violations.length}`,
    ...report.violations.flatMap(({ seed, kind, detail, reproduce }) => [
      `  seed ${seed}: ${kind}: ${detail}`,
      `    ${reproduce}`,
    ]),
  ];
  if (report.tooSeldom.length > 0) lines.push(`hit in less than 1 % of the seeds: ${report.tooSeldom.join(', ')}`);
  return lines.join('\n');
}
