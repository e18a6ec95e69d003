// `npm run drill`: starts the local system, injects the failures of a scenario, lets the recovery's state machine find and repair
// them, and tells from its own books whether an event was lost or an effect happened twice. Progress goes to stderr, the result to stdout; exit codes are in exit-codes.ts
// (0: every scenario is ok, 1: a scenario failed, 2: wrong option, 4: the local system did not start).

import { startLocalSystem } from '../local/index.ts';
import { isEventRecoveryError } from '../model/errors.ts';
import { runDrill } from '../recovery/drill/run-drill.ts';
import { REPRESENTATIVE, SCENARIOS } from '../recovery/drill/scenarios/index.ts';
import { colors } from './colors.ts';
import { parseDrillOptions } from './drill-options.ts';
import { saveReports } from './drill-reports.ts';
import { drillTable } from './drill-table.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { createOutput } from './output.ts';

async function main(): Promise<ExitCode> {
  const options = parseDrillOptions(process.argv.slice(2), process);
  if (typeof options === 'number') return options;
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
