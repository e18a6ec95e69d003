// What a run of one seed tells, and how the results of many seeds add up. Plain data: it travels between threads.

import type { Violation } from '../invariants/violations.ts';
import type { FaultKind } from '../world/fault-kinds.ts';

export interface SeedResult {
  seed: number;
  /** Two runs of one seed have the same hash. */
  traceHash: string;
  violation?: Violation;
  /** How often each kind struck. */
  faults: Partial<Record<FaultKind, number>>;
  /** How often each recovery branch of the code under test was taken. */
  branches: Record<string, number>;
  events: number;
  steps: number;
  simulatedMs: number;
}

export interface Summary {
  seeds: number;
  events: number;
  steps: number;
  simulatedMs: number;
  violations: { seed: number; violation: Violation }[];
  /** In how many seeds each was hit at least once. */
  faults: Record<string, number>;
  branches: Record<string, number>;
}

export const emptySummary = (): Summary => ({
  seeds: 0,
  events: 0,
  steps: 0,
  simulatedMs: 0,
  violations: [],
  faults: {},
  branches: {},
});

export function addResult(summary: Summary, result: SeedResult): void {
  summary.seeds++;
  summary.events += result.events;
  summary.steps += result.steps;
  summary.simulatedMs += result.simulatedMs;
  if (result.violation !== undefined) summary.violations.push({ seed: result.seed, violation: result.violation });
  for (const kind of Object.keys(result.faults)) summary.faults[kind] = (summary.faults[kind] ?? 0) + 1;
  for (const branch of Object.keys(result.branches)) summary.branches[branch] = (summary.branches[branch] ?? 0) + 1;
}

export function addSummary(total: Summary, part: Summary): void {
  total.seeds += part.seeds;
  total.events += part.events;
  total.steps += part.steps;
  total.simulatedMs += part.simulatedMs;
  total.violations.push(...part.violations);
  for (const [kind, hits] of Object.entries(part.faults)) total.faults[kind] = (total.faults[kind] ?? 0) + hits;
  for (const [name, hits] of Object.entries(part.branches)) total.branches[name] = (total.branches[name] ?? 0) + hits;
}
