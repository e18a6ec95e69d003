// Runs every mutant through the simulation until the first seed that notices it. One at a time, each in threads of its own,
// so that the source on disk never changes.

import { runPool } from '../runner/pool.ts';
import { type Mutant, mutatedSource } from './plant.ts';

export interface MutantResult {
  name: string;
  file: string;
  killed: boolean;
  /** The first seed that noticed it, and how; absent for a survivor. */
  seed?: number;
  kind?: string;
  seeds: number;
}

export async function runMutant(
  mutant: Mutant,
  options: { firstSeed: number; seeds: number; workers: number },
): Promise<MutantResult> {
  mutatedSource(mutant);
  const summary = await runPool({ ...options, mutant, stopAfterViolations: 1 });
  const [first] = summary.violations;
  const { name, file } = mutant;
  const killed = first !== undefined;
  return { name, file, killed, seeds: summary.seeds, ...(first && { seed: first.seed, kind: first.violation.kind }) };
}

/** As a table in Markdown: it is read in a terminal and kept in docs/simulation.md. */
export function mutantTable(results: readonly MutantResult[]): string {
  const rows = results.map(({ name, file, seed, kind }) => [name, file, kind ?? '**survived**', String(seed ?? '-')]);
  const lines = [['fault', 'file', 'noticed as', 'seed'], ['---', '---', '---', '---:'], ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
