// `npm run bench`: runs the scenarios one after the other and prints their figures. Exit code 0 when no limit is broken,
// 1 when one is, 2 for an unknown option or scenario.

import { readdir } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { type DynamoDbEngine, startDynamoDb } from '../../local/engines/dynamodb.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { createOutput, manyLines, type Streams, table } from '../output.ts';
import type { BenchResult, Scenario, ScenarioOutcome } from './scenario.ts';

const USAGE = `Usage: npm run bench [-- options]

  --only <name>    one scenario; may be repeated
  --list           the scenarios
  --effort <n>     1 = figures to trust; 0.1 = a quick look (default 1)
  --json           exactly one JSON document on stdout
  --help           this

Exit codes: 0 no limit is broken; 1 one is; 2 wrong option.
`;

/** Every module in `scenarios/`, by name. */
export async function findScenarios(): Promise<Scenario[]> {
  const folder = new URL('./scenarios/', import.meta.url);
  const files = (await readdir(folder)).filter((file) => file.endsWith('.ts')).sort();
  return Promise.all(files.map(async (file) => (await import(new URL(file, folder).href)).default as Scenario));
}

/** Never throws for bad input. */
export async function runBench(
  argv: readonly string[],
  streams: Streams,
  scenarios: readonly Scenario[],
): Promise<ExitCode> {
  const options = parse(argv, scenarios);
  if ('problem' in options) {
    streams.stderr.write(`${manyLines(options.problem)}\n\n${USAGE}`);
    return EXIT.usage;
  }
  if (options.help) {
    streams.stdout.write(USAGE);
    return EXIT.ok;
  }
  const output = createOutput(options.json, streams);
  if (options.list) {
    output.result(
      scenarios.map(({ name, what }) => ({ name, what })),
      (all) => all.map(({ name, what }) => `${name}: ${what}`).join('\n'),
    );
    return EXIT.ok;
  }
  let engine: Promise<DynamoDbEngine> | undefined;
  const outcome: ScenarioOutcome = { results: [], broken: [] };
  try {
    for (const scenario of options.scenarios) {
      const { results, broken } = await scenario.run({
        effort: options.effort,
        progress: (line) => output.progress(`${scenario.name}: ${line}`),
        async dynamoDbUrl() {
          engine ??= startDynamoDb();
          return (await engine).url;
        },
      });
      outcome.results.push(...results);
      outcome.broken.push(...broken.map((sentence) => `${scenario.name}: ${sentence}`));
    }
  } finally {
    // A start that failed has been reported by whoever waited for it.
    await engine?.then(
      ({ stop }) => stop(),
      () => undefined,
    );
  }
  output.result({ ok: outcome.broken.length === 0, ...outcome }, human);
  return outcome.broken.length === 0 ? EXIT.ok : EXIT.findings;
}

interface Options {
  help: boolean;
  json: boolean;
  list: boolean;
  effort: number;
  scenarios: Scenario[];
}

function parse(argv: readonly string[], scenarios: readonly Scenario[]): Options | { problem: string } {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        only: { type: 'string', multiple: true },
        list: { type: 'boolean', default: false },
        effort: { type: 'string', default: '1' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    const names = scenarios.map(({ name }) => name);
    const unknown = values.only?.find((name) => !names.includes(name));
    if (unknown !== undefined) return { problem: `scenario: got "${unknown}"; allowed: ${names.join(', ')}` };
    const effort = Number(values.effort);
    if (!(effort > 0 && effort <= 10)) {
      return { problem: `effort: got "${values.effort}"; allowed: a number over 0, at most 10` };
    }
    const wanted = scenarios.filter(({ name }) => values.only === undefined || values.only.includes(name));
    return { help: values.help, json: values.json, list: values.list, effort, scenarios: wanted };
  } catch (error) {
    return { problem: (error as Error).message };
  }
}

function human({ results, broken }: ScenarioOutcome): string {
  const rows = results.map(({ scenario, metric, subject, value, unit, ratioToLimit }: BenchResult) => [
    scenario,
    metric,
    subject,
    shownNumber(value),
    unit,
    ratioToLimit === undefined ? '' : ratioToLimit.toFixed(2),
  ]);
  const verdict = broken.length === 0 ? 'No limit is broken.' : `Broken limits:\n- ${broken.join('\n- ')}`;
  return `${table(['scenario', 'metric', 'subject', 'value', 'unit', 'to limit'], rows)}\n\n${verdict}`;
}

const shownNumber = (value: number): string => (Number.isInteger(value) ? String(value) : value.toPrecision(4));
