// `npm run mutants`: plants one fault after the other into our own guards and lets the simulation look for it. The table goes
// to stdout, progress to stderr; exit code 1 when a fault survives.

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { MUTANTS } from './catalogue.ts';
import { type MutantResult, mutantTable, runMutant } from './run-mutants.ts';

const USAGE = `npm run mutants [-- options]

  --seeds N      at most N seeds per mutant (default 10000)
  --seed S       first seed (default 1)
  --workers W    threads (default: processors, at most 8)
  --only TEXT    mutants whose name has this text
  --json         one JSON document on stdout

Exit codes: 0 every mutant was killed; 1 one survived; 2 wrong arguments.`;

function options() {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const { values } = parseArgs({
    options: { seeds: text, seed: text, workers: text, only: text, json: flag, help: flag },
  });
  const whole = (name: string, raw: string | undefined, preset: number): number => {
    const value = raw === undefined ? preset : Number(raw);
    if (Number.isSafeInteger(value) && value >= 0) return value;
    throw new Error(`--${name}: got "${raw}", allowed: a whole number`);
  };
  return {
    seeds: whole('seeds', values.seeds, 10_000),
    firstSeed: whole('seed', values.seed, 1),
    workers: Math.max(1, whole('workers', values.workers, Math.min(8, availableParallelism()))),
    only: values.only ?? '',
    json: values.json ?? false,
    help: values.help ?? false,
  };
}

async function main({ only, json, help, ...range }: ReturnType<typeof options>): Promise<number> {
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

let parsed: ReturnType<typeof options> | undefined;
try {
  parsed = options();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n\n${USAGE}\n`);
  process.exitCode = 2;
}
if (parsed !== undefined) process.exitCode = await main(parsed);
