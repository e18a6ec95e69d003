// Makes a failing seed small: faults end at the violation, whole kinds of faults are left out, fewer events are appended,
// faults begin later, as long as the same kind of violation still happens. Bounded; what remains is the shortest that was
// found, not the shortest there is.

import type { ViolationKind } from '../invariants/violations.ts';
import type { Overrides } from '../scenario/plan.ts';
import type { FaultKind } from '../world/fault-kinds.ts';
import type { SeedResult } from './result.ts';

export interface Shrunk {
  overrides: Overrides;
  runs: number;
}

export type RunOnce = (overrides: Overrides) => Promise<SeedResult>;

const MAX_RUNS = 200;

export async function shrink(first: SeedResult, run: RunOnce): Promise<Shrunk> {
  const kind: ViolationKind | undefined = first.violation?.kind;
  if (kind === undefined) throw new Error(`seed ${first.seed} has no violation to shrink`);
  let best: Overrides = {};
  let bestResult = first;
  let runs = 0;

  const attempt = async (candidate: Overrides): Promise<boolean> => {
    if (runs >= MAX_RUNS) return false;
    runs++;
    const result = await run(candidate);
    if (result.violation?.kind !== kind) return false;
    best = candidate;
    bestResult = result;
    return true;
  };

  await attempt({ ...best, faultsUntilMs: (first.violation?.atMs ?? 0) + 1 });
  for (let removed = true; removed && runs < MAX_RUNS; ) {
    removed = false;
    for (const left of Object.keys(bestResult.faults) as FaultKind[]) {
      const faults = (Object.keys(bestResult.faults) as FaultKind[]).filter((each) => each !== left);
      if (await attempt({ ...best, faults })) removed = true;
    }
  }
  for (let step = Math.ceil(first.events / 2); step >= 1; ) {
    const events = (best.events ?? first.events) - step;
    if (events < 1 || !(await attempt({ ...best, events }))) step = step === 1 ? 0 : Math.ceil(step / 2);
  }
  for (let step = Math.ceil((first.violation?.atMs ?? 0) / 2); step >= 500; step = Math.floor(step / 2)) {
    await attempt({ ...best, faultsFromMs: (best.faultsFromMs ?? 0) + step });
  }
  return { overrides: best, runs };
}

/** The command that runs one seed with these overrides. */
export function reproduceCommand(seed: number, overrides: Overrides = {}): string {
  const parts = [`npm run simulate -- --seeds 1 --seed ${seed}`];
  if (overrides.events !== undefined) parts.push(`--events ${overrides.events}`);
  if (overrides.faults !== undefined) parts.push(`--faults ${overrides.faults.join(',') || 'none'}`);
  if (overrides.faultsFromMs !== undefined) parts.push(`--from-ms ${overrides.faultsFromMs}`);
  if (overrides.faultsUntilMs !== undefined) parts.push(`--until-ms ${overrides.faultsUntilMs}`);
  return parts.join(' ');
}
