// Runs every mutant through the simulation until the first seed that notices it. One at a time, each in threads of its own,
// so that the source on disk never changes. A seed notices a fault only if it passes without it.

import { runPool } from '../runner/pool.ts';
import { runSeed } from '../scenario/run.ts';
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

/** @throws Error when the seed that noticed it fails without the fault, too */
export async function runMutant(
  mutant: Mutant,
  options: { firstSeed: number; seeds: number; workers: number },
): Promise<MutantResult> {
  mutatedSource(mutant);
  const summary = await runPool({ ...options, mutant, stopAfterViolations: 1 });
  const [first] = summary.violations;
  const { name, file } = mutant;
  const killed = first !== undefined;
  if (killed && (await runSeed(first.seed)).result.violation !== undefined) {
    throw new Error(
      `seed ${first.seed} fails without a fault, too: npm run simulate -- --seeds 1 --seed ${first.seed}`,
    );
  }
  return { name, file, killed, seeds: summary.seeds, ...(first && { seed: first.seed, kind: first.violation.kind }) };
}

/** As a table in Markdown: it is read in a terminal and kept in docs/simulation-report.md. */
export function mutantTable(results: readonly MutantResult[]): string {
  const rows = results.map(({ name, file, seed, kind }) => [name, file, kind ?? '**survived**', String(seed ?? '-')]);
  const lines = [['fault', 'file', 'noticed as', 'seed'], ['---', '---', '---', '---:'], ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
