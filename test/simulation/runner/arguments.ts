// The command line of `npm run simulate`, checked. Pure.

import { parseArgs } from 'node:util';
import { InvalidInputError } from '../../../lib/model/errors.ts';
import type { Overrides } from '../scenario/plan.ts';
import { ALL_FAULT_KINDS, type FaultKind, isFaultKind } from '../world/fault-kinds.ts';

export interface SimulateArguments {
  seeds: number;
  firstSeed: number;
  workers: number;
  json: boolean;
  help: boolean;
  /** Print the whole trace of a failing seed instead of its last part. */
  trace: boolean;
  shrink: boolean;
  overrides: Overrides;
}

export const USAGE = `npm run simulate -- [options]

  --seeds N        how many seeds to run (default 1000)
  --seed S         the first seed (default 1)
  --workers W      threads (default: processors, at most 8)
  --json           one JSON document on stdout
  --trace          print the whole trace of a failing seed
  --no-shrink      do not look for a smaller run of a failing seed

Of one seed only what is left after shrinking:
  --events N       append at most N events
  --faults a,b     only these kinds of faults ("none" for no faults)
  --from-ms T      faults begin T ms after the start
  --until-ms T     faults end T ms after the start

Exit codes: 0 no violation; 1 a violation; 2 wrong arguments; 3 a kind of fault or a recovery branch was hit in less than
1 % of the seeds (looked at from 1,000 seeds on).`;

/** @throws InvalidInputError `INVALID_ARGUMENT` */
export function parseArguments(argv: readonly string[], processors: number): SimulateArguments {
  const { values } = read(argv);
  const overrides: Overrides = {};
  if (values.events !== undefined) overrides.events = wholeNumber('--events', values.events, 0, 1_000_000);
  if (values['from-ms'] !== undefined) overrides.faultsFromMs = wholeNumber('--from-ms', values['from-ms'], 0, 1e12);
  if (values['until-ms'] !== undefined)
    overrides.faultsUntilMs = wholeNumber('--until-ms', values['until-ms'], 0, 1e12);
  if (values.faults !== undefined) overrides.faults = faultKinds(values.faults);
  return {
    seeds: wholeNumber('--seeds', values.seeds ?? '1000', 1, 100_000_000),
    firstSeed: wholeNumber('--seed', values.seed ?? '1', 0, Number.MAX_SAFE_INTEGER - 100_000_000),
    workers: wholeNumber('--workers', values.workers ?? String(Math.max(1, Math.min(8, processors))), 1, 64),
    json: values.json ?? false,
    help: values.help ?? false,
    trace: values.trace ?? false,
    shrink: !(values['no-shrink'] ?? false),
    overrides,
  };
}

function read(argv: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args: [...argv],
      options: {
        seeds: text,
        seed: text,
        workers: text,
        events: text,
        faults: text,
        'from-ms': text,
        'until-ms': text,
        json: flag,
        trace: flag,
        'no-shrink': flag,
        help: flag,
      },
    });
  } catch (error) {
    throw new InvalidInputError('INVALID_ARGUMENT', {
      what: 'arguments of simulate',
      got: argv.join(' '),
      allowed: 'the options of --help',
      remedy: (error as Error).message,
    });
  }
}

function wholeNumber(what: string, raw: string, min: number, max: number): number {
  const value = /^\d{1,16}$/.test(raw) ? Number(raw) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new InvalidInputError('INVALID_ARGUMENT', {
    what,
    got: raw,
    allowed: `a whole number from ${min} to ${max}`,
    remedy: 'see --help',
  });
}

function faultKinds(raw: string): FaultKind[] {
  if (raw === 'none') return [];
  return raw.split(',').map((name) => {
    if (isFaultKind(name)) return name;
    throw new InvalidInputError('INVALID_ARGUMENT', {
      what: '--faults',
      got: name,
      allowed: `"none", or some of ${ALL_FAULT_KINDS.join(', ')}`,
      remedy: 'see --help',
    });
  });
}
