// The command line of `npm run mutants`, checked.

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

export const USAGE = `npm run mutants [-- options]

  --seeds N      at most N seeds per mutant (default 10000)
  --seed S       first seed (default 1)
  --workers W    threads (default: processors, at most 8)
  --only TEXT    mutants whose name has this text
  --json         one JSON document on stdout

Exit codes: 0 every mutant was killed; 1 one survived; 2 wrong arguments.`;

/** @throws Error whose message says what is wrong */
export function parseMutantArguments(argv: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const { values } = parseArgs({
    args: [...argv],
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
