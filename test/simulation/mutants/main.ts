// `npm run mutants`: plants one fault after the other into our own guards and lets the simulation look for it. The table goes
// to stdout, progress to stderr; exit code 1 when a fault survives.

import { manyLines } from '../../../lib/cli/output.ts';
import { parseMutantArguments, USAGE } from './arguments.ts';
import { MUTANTS } from './catalogue.ts';
import { type MutantResult, mutantTable, runMutant } from './run-mutants.ts';

async function main({ only, json, help, ...range }: ReturnType<typeof parseMutantArguments>): Promise<number> {
  if (help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const results: MutantResult[] = [];
  for (const mutant of MUTANTS.filter(({ name }) => name.includes(only))) {
    const result = await runMutant(mutant, range);
    results.push(result);
    const end = result.killed ? `${result.kind} at seed ${result.seed}` : `SURVIVED ${result.seeds} seeds`;
    process.stderr.write(`${String(results.length).padStart(3)} ${mutant.name}: ${end}\n`);
  }
  const survivors = results.filter(({ killed }) => !killed);
  const ok = survivors.length === 0 && results.length > 0;
  process.stdout.write(`${json ? JSON.stringify({ ok, mutants: results }) : mutantTable(results)}\n`);
  process.stderr.write(`${results.length} mutants, ${survivors.length} survived\n`);
  return ok ? 0 : 1;
}

let parsed: ReturnType<typeof parseMutantArguments> | undefined;
try {
  parsed = parseMutantArguments(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${manyLines((error as Error).message)}\n\n${USAGE}\n`);
  process.exitCode = 2;
}
if (parsed !== undefined) process.exitCode = await main(parsed);
