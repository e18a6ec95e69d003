// The command line of `npm run kill-matrix`, checked. Pure.

import { parseArgs } from 'node:util';
import { InvalidInputError } from '../../lib/model/errors.ts';

export interface MatrixArguments {
  events: number;
  streams: number;
  seed: number;
  everyMs: number;
  json: boolean;
  help: boolean;
}

export const USAGE = `npm run kill-matrix [-- options]

  --events N     events to append (default 100000)
  --streams N    streams that share them (default 200)
  --seed S       same seed, same victims in the same order (default 1)
  --every-ms T   mean time between two disturbances (default 1500)
  --json         one JSON document on stdout instead of a table

Exit codes: 0 nothing lost, doubled or out of order; 1 something was; 2 wrong arguments; 4 the local system did not start.`;

/** @throws InvalidInputError `INVALID_ARGUMENT` */
export function parseMatrixArguments(argv: readonly string[]): MatrixArguments {
  const values = read(argv);
  return {
    events: wholeNumber('--events', values.events ?? '100000', 1, 10_000_000),
    streams: wholeNumber('--streams', values.streams ?? '200', 1, 1_000_000),
    seed: wholeNumber('--seed', values.seed ?? '1', 0, 2 ** 32 - 1),
    everyMs: wholeNumber('--every-ms', values['every-ms'] ?? '1500', 1, 3_600_000),
    json: values.json ?? false,
    help: values.help ?? false,
  };
}

function read(argv: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const options = { events: text, streams: text, seed: text, 'every-ms': text, json: flag, help: flag };
  try {
    return parseArgs({ args: [...argv], options }).values;
  } catch (error) {
    throw invalid('arguments of kill-matrix', argv.join(' '), 'the options of --help', (error as Error).message);
  }
}

function wholeNumber(what: string, raw: string, min: number, max: number): number {
  const value = /^\d{1,16}$/.test(raw) ? Number(raw) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw invalid(what, raw, `a whole number from ${min} to ${max}`, 'see --help');
}

const invalid = (what: string, got: unknown, allowed: string, remedy: string): InvalidInputError =>
  new InvalidInputError('INVALID_ARGUMENT', { what, got, allowed, remedy });
