// The result of a kill matrix for people.

import { table } from '../../lib/cli/output.ts';
import type { MatrixResult } from './run-matrix.ts';

const HEADER = ['consumer', 'effects', 'events', 'lost', 'doubled', 'repeated', 'reordered', 'unknown', 'kills'];

export function matrixTable(result: MatrixResult): string {
  const { ok, events, streams, seconds, seed, consumers, disturbances, underFire, recoveries, problems } = result;
  const rows = consumers.map(({ consumer, effects, expected, lost, doubled, repeated, reordered, unknown }) => {
    const kills = disturbances[`kill ${consumer}`] ?? 0;
    return [consumer, effects, expected, lost, doubled, repeated, reordered, unknown, kills];
  });
  const done = Object.entries(disturbances).sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    `kill matrix: ${events} events in ${streams} streams, ${seconds} seconds, seed ${seed}`,
    table(HEADER, rows),
    table(['disturbance', 'times'], done),
    `recoveries under fire: ${underFire.join(', ')}; all with a report: ${recoveries.join(', ')}`,
    [
      ...problems.map((problem) => `PROBLEM: ${problem}`),
      ok ? 'ok: nothing lost, nothing doubled, everything in order' : 'FAILED',
    ].join('\n'),
  ].join('\n\n');
}
