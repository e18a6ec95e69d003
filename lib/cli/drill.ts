// `npm run drill`: starts the local system, injects the failures of a scenario, lets the recovery's state machine find and repair
// them, and tells from its own books whether an event was lost or an effect happened twice. Progress goes to stderr, the result to stdout; exit codes are in exit-codes.ts
// (0: every scenario is ok, 1: a scenario failed, 2: wrong option, 4: the local system did not start).

import { Command, InvalidArgumentError, Option } from 'commander';
import { startLocalSystem } from '../local/index.ts';
import { isEventRecoveryError } from '../model/errors.ts';
import { runDrill } from '../recovery/drill/run-drill.ts';
import type { Scenario } from '../recovery/drill/scenario.ts';
import { REPRESENTATIVE, SCENARIOS } from '../recovery/drill/scenarios/index.ts';
import type { Workload } from '../recovery/drill/workload.ts';
import { github } from '../recovery/drill/workloads/github.ts';
import { orders } from '../recovery/drill/workloads/orders.ts';
import { colors } from './colors.ts';
import { saveReports } from './drill-reports.ts';
import { drillTable } from './drill-table.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { createOutput } from './output.ts';

const WORKLOADS: Record<string, Workload> = { orders, github };
const EVENTS_MAX = 100_000;

interface Options {
  scenario?: Scenario[];
  all?: boolean;
  report?: string;
  list?: boolean;
  json?: boolean;
  events?: number;
  seed: number;
  input: Workload;
}

function scenariosOf(names: string): Scenario[] {
  if (names === 'all') return [...SCENARIOS];
  return names.split(',').map((name) => {
    const found = SCENARIOS.find((scenario) => scenario.name === name.trim());
    if (found) return found;
    throw new InvalidArgumentError(`"${name}" is none of ${SCENARIOS.map((one) => one.name).join(', ')}, all.`);
  });
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

const program = new Command('drill')
  .description(
    'Injects failures, lets the recovery find and repair them, and proves that nothing is lost and nothing is applied twice.',
  )
  .addOption(
    new Option(
      '--scenario <names>',
      'scenario, several with commas, or "all" (without: a representative set)',
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
  .exitOverride((error) => process.exit(error.exitCode === 0 ? EXIT.ok : EXIT.usage));

async function main(): Promise<ExitCode> {
  const options = program.parse().opts<Options>();
  const output = createOutput(options.json ?? false, process);
  if (options.list) {
    output.result(
      SCENARIOS.map(({ name, summary }) => ({ name, summary })),
      (scenarios) => scenarios.map(({ name, summary }) => `${colors.bold(name.padEnd(20))} ${summary}`).join('\n'),
    );
    return EXIT.ok;
  }
  const scenarios = options.all ? SCENARIOS : (options.scenario ?? REPRESENTATIVE);
  const started = performance.now();
  output.progress('starting the local system: DynamoDB Local, fauxqs, and every function in processes of its own');
  const system = await startLocalSystem({
    onProgress: output.progress,
    onWarning: output.progress,
  });
  const stop = (): void => void system.stop().then(() => process.exit(EXIT.internal));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  output.progress(`up after ${((performance.now() - started) / 1_000).toFixed(1)} s`);
  try {
    const report = await runDrill({
      system,
      workload: options.input,
      scenarios,
      seed: options.seed,
      events: options.events,
      runId: Date.now().toString(36),
      progress: output.progress,
    });
    output.result(report, drillTable);
    if (options.report !== undefined) {
      const saved = await saveReports(system, report.scenarios, options.report);
      output.progress(`${saved.length} reports of recoveries: ${options.report}`);
    }
    output.progress(`logs of the functions: ${system.runFolder}/logs`);
    if (report.ok) output.next('npm run drill -- --all --report reports');
    else
      output.next(
        `npm run drill -- --scenario ${report.scenarios.find((one) => !one.ok)?.name} --seed ${options.seed} --json`,
      );
    return report.ok ? EXIT.ok : EXIT.findings;
  } finally {
    await system.stop();
  }
}

try {
  process.exit(await main());
} catch (error) {
  process.stderr.write(
    isEventRecoveryError(error) ? `${colors.red(error.code)}: ${error.message}\n` : `${(error as Error).stack}\n`,
  );
  process.exit(isEventRecoveryError(error) ? EXIT.unreachable : EXIT.internal);
}
