// The report as Markdown, for tickets and chats.

import { codeLine, markdown as text } from './escape.ts';
import { type RecoveryReport, timesOf } from './types.ts';
import { BOXES, beforeAfter, conservationRows, duration, effectsRows, HEADLINES, instant } from './words.ts';

const row = (cells: readonly unknown[]): string => `| ${cells.map(text).join(' | ')} |`;
const tableOf = (header: readonly string[], rows: readonly (readonly unknown[])[]): string[] => [
  row(header),
  `|${header.map(() => '---').join('|')}|`,
  ...rows.map(row),
];

export function renderMarkdown(report: RecoveryReport): string {
  const times = timesOf(report);
  const { before, after } = report;
  const lines = [
    `# ${HEADLINES[report.result]}`,
    '',
    `Recovery ${text(report.id)}, started by ${text(report.trigger)} at ${instant(report.startedAt)}, asked for by ${text(report.requestedBy)}: ${text(report.reason)}`,
    '',
    ...tableOf(
      ['to detect', 'to diagnose', 'to recover', 'to verify'],
      [[times.detectMs, times.diagnoseMs, times.recoverMs, times.verifyMs].map(duration)],
    ),
    '',
    '## Findings',
    '',
    ...(report.findings.length === 0
      ? ['None.']
      : tableOf(
          ['severity', 'cause', 'consumer', 'what', 'action', 'confidence'],
          report.findings.map((finding) => [
            finding.severity,
            finding.cause,
            finding.consumer ?? '',
            finding.explanation,
            finding.action,
            `${Math.round(finding.confidence * 100)} %`,
          ]),
        )),
    '',
    '## Steps',
    '',
    ...tableOf(
      ['step', 'outcome', 'took', 'what'],
      report.steps.map((step) => [step.name, step.outcome, duration(step.endedAt - step.startedAt), step.summary]),
    ),
    '',
    '## Conservation: every event in exactly one place',
    '',
    ...tableOf(
      ['consumer', ...BOXES.map(([, name]) => name)],
      conservationRows(before, after).map((of) => [of.consumer, ...BOXES.map(([box]) => beforeAfter(box, of))]),
    ),
    '',
    ...effectLines(report),
    ...violationLines(report),
    ...(report.nextCommands.length > 0 ? ['## Next', '', '```', ...report.nextCommands.map(codeLine), '```', ''] : []),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

/** What the consumers' own verify() said, at the last look. */
function effectLines({ before, after = before }: RecoveryReport): string[] {
  const rows = effectsRows(after);
  if (rows.length === 0) return [];
  return [
    '## Effects: what the consumers did, by their own verify()',
    '',
    ...tableOf(
      ['consumer', 'effects', 'streams', 'events', 'violations'],
      rows.map(({ consumer, words, streams, events, violations }) => [consumer, words, streams, events, violations]),
    ),
    '',
  ];
}

/** Of the last look: a proposal was verified before it, and changed nothing. */
function violationLines({ before, after = before }: RecoveryReport): string[] {
  if (after === undefined || after.violationCount === 0) return [];
  const listed = after.violations.slice(0, 50);
  return [
    `## Violations: ${after.violationCount}`,
    '',
    ...tableOf(
      ['kind', 'consumer', 'stream', 'version', 'detail'],
      listed.map((violation) => [
        violation.kind,
        violation.consumer ?? '',
        violation.streamId ?? '',
        violation.version ?? '',
        violation.detail,
      ]),
    ),
    '',
  ];
}
