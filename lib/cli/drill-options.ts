// The command line of `npm run drill`, checked.

import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { Scenario } from '../recovery/drill/scenario.ts';
import { SCENARIOS } from '../recovery/drill/scenarios/index.ts';
import type { Workload } from '../recovery/drill/workload.ts';
import { github } from '../recovery/drill/workloads/github.ts';
import { orders } from '../recovery/drill/workloads/orders.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { manyLines, type Streams } from './output.ts';

const WORKLOADS: Record<string, Workload> = { orders, github };
const EVENTS_MAX = 100_000;

export interface DrillOptions {
  scenario?: Scenario[];
  all?: boolean;
  report?: string;
  list?: boolean;
  json?: boolean;
  events?: number;
  seed: number;
  input: Workload;
}

/** @param before of the same option, given earlier */
function scenariosOf(names: string, before: readonly Scenario[] = []): Scenario[] {
  if (names === 'all') return [...SCENARIOS];
  const named = names.split(',').map((name) => {
    const found = SCENARIOS.find((scenario) => scenario.name === name.trim());
    if (found) return found;
    throw new InvalidArgumentError(`"${name}" is none of ${SCENARIOS.map((one) => one.name).join(', ')}, all.`);
  });
  return [...new Set([...before, ...named])];
}

const wholeNumber =
  (min: number, max: number) =>
  (text: string): number => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`"${text}" is no whole number from ${min} to ${max}.`);
  };

function workloadOf(name: string): Workload {
  const workload = WORKLOADS[name];
  if (workload) return workload;
  throw new InvalidArgumentError(`"${name}" is none of ${Object.keys(WORKLOADS).join(', ')}.`);
}

const HELP = `
Exit codes: 0 every scenario is ok; 1 an event was lost, an effect doubled or out of order, a dead letter left, or a fault
did not happen; 2 wrong option; 4 the local system did not start; 70 a bug of the drill.

Examples:
  npm run drill                                        a representative set
  npm run drill -- --scenario consumer-crash           kill consumers half way
  npm run drill -- --all --report reports              everything; each recovery's report as JSON, Markdown and HTML
  npm run drill -- --all --seed 7 --json               everything, for machines
  npm run drill -- --input github                      real webhook payloads`;

const createProgram = (streams: Streams): Command =>
  new Command('drill')
    .description(
      'Injects failures, lets the recovery find and repair them, and proves that nothing is lost and nothing is applied twice.',
    )
    .addOption(
      new Option(
        '--scenario <names>',
        'scenario, several with commas or given again, or "all" (without: a representative set)',
      ).argParser(scenariosOf),
    )
    .addOption(new Option('--all', 'every scenario').conflicts('scenario'))
    .option('--report <folder>', "write each recovery's report there: JSON, Markdown, HTML")
    .option('--list', 'list the scenarios and end')
    .option('--json', 'print one JSON document')
    .option(
      '--events <n>',
      'events per scenario, in all (orders only; by default as many as the scenario needs, mostly 400)',
      wholeNumber(1, EVENTS_MAX),
    )
    .option('--seed <n>', 'same seed, same orders, kill places and delivery faults', wholeNumber(0, 2 ** 32 - 1), 1)
    .addOption(
      new Option('--input <name>', 'orders (made up) or github (329 real webhook payloads)')
        .argParser(workloadOf)
        .default(orders, orders.name),
    )
    .addHelpText('after', HELP)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void streams.stdout.write(text),
      // It repeats what was typed, and what was typed may come from elsewhere.
      writeErr: (text) => void streams.stderr.write(manyLines(text)),
    });

/** The options, or the exit code of a command line that asks for nothing (help) or for what there is not. Never throws. */
export function parseDrillOptions(argv: readonly string[], streams: Streams): DrillOptions | ExitCode {
  try {
    return createProgram(streams)
      .parse([...argv], { from: 'user' })
      .opts<DrillOptions>();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
}
