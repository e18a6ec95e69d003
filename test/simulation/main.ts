// `npm run simulate`: runs the real code on a simulated cloud under seeded faults and checks what must hold. Data goes to
// stdout, progress to stderr; a failing seed is made as small as possible and printed with the command that repeats it.

import { availableParallelism } from 'node:os';
import { manyLines } from '../../lib/cli/output.ts';
import { isEventRecoveryError } from '../../lib/model/errors.ts';
import { formatLine } from './kernel/trace.ts';
import { parseArguments, type SimulateArguments, USAGE } from './runner/arguments.ts';
import { runPool } from './runner/pool.ts';
import { exitCode, formatReport, reportOf } from './runner/report.ts';
import { addResult, emptySummary, type Summary } from './runner/result.ts';
import { reproduceCommand, shrink } from './runner/shrink.ts';
import type { Overrides } from './scenario/plan.ts';
import { type Run, runSeed } from './scenario/run.ts';

/** Enough to see a pattern; the first ones are made small. */
const STOP_AFTER_VIOLATIONS = 20;
const SHRUNK_VIOLATIONS = 3;
const TRACE_TAIL_LINES = 80;

const progress = (text: string): void => void process.stderr.write(text);

async function runAll(options: SimulateArguments): Promise<Summary> {
  const { firstSeed, seeds, workers, overrides } = options;
  if (seeds === 1) {
    const summary = emptySummary();
    addResult(summary, (await runSeed(firstSeed, { overrides })).result);
    return summary;
  }
  let shownAt = 0;
  return runPool({
    firstSeed,
    seeds,
    workers,
    stopAfterViolations: STOP_AFTER_VIOLATIONS,
    onProgress: (total) => {
      if (total.seeds < shownAt + 500 && total.seeds < seeds) return;
      shownAt = total.seeds;
      progress(`\r${total.seeds}/${seeds} seeds, ${total.violations.length} violations`);
    },
  });
}

async function makeSmall(seed: number, options: SimulateArguments): Promise<Overrides> {
  if (!options.shrink) return options.overrides;
  const first = await runSeed(seed, { overrides: options.overrides });
  const small = await shrink(first.result, async (more) => {
    return (await runSeed(seed, { overrides: { ...options.overrides, ...more } })).result;
  });
  progress(`\nseed ${seed}: made smaller in ${small.runs} runs\n`);
  return { ...options.overrides, ...small.overrides };
}

function printTrace(run: Run, command: string, whole: boolean): void {
  const { seed, violation, traceHash } = run.result;
  const lines = whole ? run.trace.lines : run.trace.lines.slice(-TRACE_TAIL_LINES);
  progress(`\nseed ${seed}, trace ${traceHash}, ${run.trace.lines.length} lines, the last ${lines.length}:\n`);
  for (const line of lines) progress(`${formatLine(line)}\n`);
  progress(`\n${violation?.kind}: ${violation?.detail}\nreproduce: ${command}\n\n`);
}

async function main(): Promise<number> {
  const options = parseArguments(process.argv.slice(2), availableParallelism());
  if (options.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const started = performance.now();
  const summary = await runAll(options);
  const seconds = (performance.now() - started) / 1_000;
  progress('\n');
  const shrunk = new Map<number, Overrides>();
  for (const { seed } of summary.violations.slice(0, SHRUNK_VIOLATIONS)) {
    const overrides = await makeSmall(seed, options);
    shrunk.set(seed, overrides);
    const run = await runSeed(seed, { overrides, keepTrace: true });
    printTrace(run, reproduceCommand(seed, overrides), options.trace);
  }
  const report = reportOf(summary, seconds, shrunk);
  process.stdout.write(`${options.json ? JSON.stringify(report) : formatReport(report)}\n`);
  return exitCode(report);
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!isEventRecoveryError(error)) throw error;
  progress(`${manyLines(error.message)}\n`);
  process.exitCode = 2;
}
