// A recovery's report for a terminal: what was found, what was done, where everything is, and where to read more.

import type { RecoveryRun } from '../../recovery/recover/run-recovery.ts';
import { timesOf } from '../../recovery/report/types.ts';
import { BOXES, beforeAfter, conservationRows, duration, HEADLINES } from '../../recovery/report/words.ts';

/** Lines without control characters: names and messages are of unknown origin. */
export function showReport({ id, report, key }: RecoveryRun, bucket: string): string[] {
  const { detectMs, diagnoseMs, recoverMs, verifyMs } = timesOf(report);
  const times = `to detect ${duration(detectMs)}, diagnose ${duration(diagnoseMs)}, recover ${duration(recoverMs)}, verify ${duration(verifyMs)}`;
  const findings = report.findings.map(
    ({ severity, cause, explanation, action }) => `  ${severity} ${cause}: ${explanation} -> ${action}`,
  );
  const steps = report.steps.map(
    ({ name, outcome, summary, startedAt, endedAt }) =>
      `  ${name} ${outcome} after ${duration(endedAt - startedAt)}: ${summary}`,
  );
  const books = conservationRows(report.before, report.after).map(
    (row) => `  ${row.consumer}: ${BOXES.map(([box, name]) => `${name} ${beforeAfter(box, row)}`).join(', ')}`,
  );
  return [
    `${HEADLINES[report.result]} (${id})`,
    times,
    ...(findings.length > 0 ? ['Findings:', ...findings] : []),
    ...(steps.length > 0 ? ['Steps:', ...steps] : []),
    ...(books.length > 0 ? ['Every event in exactly one place:', ...books] : []),
    `Report: s3://${bucket}/${key}`,
  ];
}
