// The drill's result for people: one line per consumer, the kills, and the sentence that matters.

import type { DrillReport, ScenarioResult } from '../recovery/drill/scenario.ts';
import { colors } from './colors.ts';
import { table } from './output.ts';

const HEADER = [
  'consumer',
  'effects',
  'appended',
  'resolved',
  'parked',
  'lost',
  'doubled',
  'repeated',
  'reordered',
  'kills',
];

export const drillTable = (report: DrillReport): string => report.scenarios.map(scenarioText).join('\n\n');

function scenarioText(result: ScenarioResult): string {
  const rows = result.consumers.map((one) => [
    one.consumer,
    one.effects,
    one.expected,
    one.resolved,
    one.parked,
    one.lost,
    one.doubled,
    one.repeated,
    one.reordered,
    one.kills,
  ]);
  const kills = result.kills.map((kill) => {
    const resumed = kill.resumedAt === null ? 'had nothing left to do' : `resumed at version ${kill.resumedAt}`;
    return `  ${kill.consumer.padEnd(12)} killed ${kill.when.padEnd(6)} its effect of version ${kill.version}, ${resumed}`;
  });
  return [
    `${colors.bold(result.name)}: ${result.appended} events in ${result.streams} streams, ${result.seconds} seconds, seed ${result.seed}`,
    '',
    table(HEADER, rows),
    ...(kills.length > 0 ? ['', ...kills] : []),
    ...result.consumers
      .filter((one) => one.unplannedEnds > 0)
      .map((one) =>
        colors.yellow(
          `  ${one.consumer}: ${one.unplannedEnds} invocations ran out of time or crashed without being killed (slow machine?)`,
        ),
      ),
    ...result.consumers
      .filter((one) => one.repeatedCalls > 0)
      .map((one) =>
        colors.yellow(
          `  ${one.consumer}: ${one.repeatedCalls} calls were repeated, their answers came too late (slow machine?)`,
        ),
      ),
    ...(result.recoveries.length > 0 ? [''] : []),
    ...result.recoveries.map(
      ({ result: end, seconds, findings }) =>
        `  recovery ${end.padEnd(13)} ${String(seconds).padStart(5)} s  found: ${findings.join(', ') || 'nothing'}`,
    ),
    '',
    verdictLine(result),
    ...result.problems.map((problem) => colors.red(`  ${problem}`)),
  ].join('\n');
}

function verdictLine(result: ScenarioResult): string {
  const figures = `${result.lost} lost, ${result.doubled} doubled, ${result.repeated} repeated, ${result.reordered} reordered, ${result.deadLetters} dead letters`;
  return result.ok ? colors.green(`ok: ${figures}`) : colors.red(`FAILED: ${figures}`);
}
