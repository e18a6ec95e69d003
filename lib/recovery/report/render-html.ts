// The report as one self-contained page: no script, no font, no picture from elsewhere; light and dark by the reader's wish.

import { html } from './escape.ts';
import { renderTimeline } from './timeline.ts';
import { type RecoveryReport, timesOf } from './types.ts';
import { BOXES, beforeAfter, conservationRows, duration, effectsRows, HEADLINES, instant } from './words.ts';

const STYLE = `
:root{color-scheme:light dark;--bg:#fff;--fg:#1c2024;--soft:#5b6570;--line:#d9dee3;--card:#f6f8fa;--good:#1a7f47;--bad:#b3261e;--warn:#9a6700;--bar:#2f6feb}
@media (prefers-color-scheme:dark){:root{--bg:#0f1419;--fg:#e6e9ec;--soft:#9aa5b1;--line:#2c343d;--card:#171d24;--good:#4ac27d;--bad:#ff8078;--warn:#e0b13c;--bar:#6ea0ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif}
main{max-width:980px;margin:0 auto;padding:32px 20px 64px}
h1{font-size:26px;margin:0 0 4px}h1::before{content:"";display:inline-block;width:14px;height:14px;border-radius:50%;margin-right:12px;background:var(--mark)}
h2{font-size:18px;margin:36px 0 10px}
.good{--mark:var(--good)}.bad{--mark:var(--bad)}.warn{--mark:var(--warn)}
p{margin:4px 0}.soft{color:var(--soft)}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin-top:20px}
.card{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:12px 14px}.card b{display:block;font-size:22px;font-variant-numeric:tabular-nums}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:6px 10px;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:break-word}
td.id{overflow-wrap:anywhere;min-width:120px}td.words{min-width:220px}td.key{white-space:nowrap}
th{color:var(--soft);font-weight:600;white-space:nowrap}td.number{text-align:right;white-space:nowrap}th.number{text-align:right}
.critical,.failed,.refused{color:var(--bad)}.high,.waiting{color:var(--warn)}.done{color:var(--good)}
svg{width:100%;height:auto;margin-top:8px}svg text{fill:var(--fg);font:12px system-ui,sans-serif}svg .axis,svg .took{fill:var(--soft)}svg .tick{stroke:var(--line)}
.bar{fill:var(--bar)}.bar.failed,.bar.refused{fill:var(--bad)}.bar.waiting{fill:var(--warn)}.bar.nothing-to-do{fill:var(--line)}
pre{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:12px 14px;overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere}`;

const MARK: Readonly<Record<RecoveryReport['result'], 'good' | 'bad' | 'warn'>> = {
  recovered: 'good',
  'nothing-to-do': 'good',
  proposed: 'warn',
  incomplete: 'bad',
  refused: 'warn',
  failed: 'bad',
};

type Cell = string | { text: string; class: string };

function tableOf(header: readonly Cell[], rows: readonly (readonly Cell[])[]): string {
  const cell = (tag: 'td' | 'th') => (value: Cell) =>
    typeof value === 'string'
      ? `<${tag}>${html(value)}</${tag}>`
      : `<${tag} class="${html(value.class)}">${html(value.text)}</${tag}>`;
  const line = (tag: 'td' | 'th', cells: readonly Cell[]) => `<tr>${cells.map(cell(tag)).join('')}</tr>`;
  return `<div class="scroll"><table><thead>${line('th', header)}</thead><tbody>${rows.map((row) => line('td', row)).join('')}</tbody></table></div>`;
}

const number = (text: string): Cell => ({ text, class: 'number' });

export function renderHtml(report: RecoveryReport): string {
  const times = timesOf(report);
  const cards: [string, number][] = [
    ['to detect', times.detectMs],
    ['to diagnose', times.diagnoseMs],
    ['to recover', times.recoverMs],
    ['to verify', times.verifyMs],
  ];
  const sections = [
    `<header class="${MARK[report.result]}"><h1>${HEADLINES[report.result]}</h1><p>${html(report.reason)}</p><p class="soft">Recovery ${html(report.id)} · asked for by ${html(report.requestedBy)} · started by ${html(report.trigger)} at ${instant(report.startedAt)}</p></header>`,
    `<div class="cards">${cards.map(([name, ms]) => `<div class="card"><b>${duration(ms)}</b>${name}</div>`).join('')}</div>`,
    `<h2>Timeline</h2>${renderTimeline(report)}`,
    `<h2>Findings</h2>${findings(report)}`,
    `<h2>Steps</h2>${tableOf(
      ['step', 'outcome', { text: 'took', class: 'number' }, 'what was done'],
      report.steps.map((step) => [
        step.name,
        { text: step.outcome, class: step.outcome },
        number(duration(step.endedAt - step.startedAt)),
        { text: step.summary, class: 'words' },
      ]),
    )}`,
    `<h2>Conservation</h2><p class="soft">Every appended event stands in exactly one box. An arrow shows before and after.</p>${conservation(report)}`,
    effects(report),
    violations(report),
    report.nextCommands.length > 0 ? `<h2>Next</h2><pre>${report.nextCommands.map(html).join('\n')}</pre>` : '',
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${HEADLINES[report.result]} · ${html(report.id)}</title><style>${STYLE}</style></head>
<body><main>${sections.join('\n')}</main></body></html>
`;
}

function findings({ findings: found }: RecoveryReport): string {
  if (found.length === 0) return '<p>None.</p>';
  return tableOf(
    ['severity', 'cause', 'consumer', 'what was found', 'action', { text: 'confidence', class: 'number' }],
    found.map((finding) => [
      { text: finding.severity, class: finding.severity },
      { text: finding.cause, class: 'key' },
      finding.consumer ?? '',
      { text: finding.explanation, class: 'words' },
      { text: finding.action, class: 'key' },
      number(`${Math.round(finding.confidence * 100)} %`),
    ]),
  );
}

function conservation({ before, after }: RecoveryReport): string {
  const header = ['consumer', ...BOXES.map(([, name]): Cell => ({ text: name, class: 'number' }))];
  const rows = conservationRows(before, after);
  if (rows.length === 0) return '<p>Nothing was verified.</p>';
  return tableOf(
    header,
    rows.map((row) => [row.consumer, ...BOXES.map(([box]) => number(beforeAfter(box, row)))]),
  );
}

const EFFECT_CLASS = { verified: 'done', violated: 'failed', failed: 'failed', 'not-verified': 'soft' } as const;

/** What the consumers' own verify() said, at the last look. */
function effects({ before, after = before }: RecoveryReport): string {
  const rows = effectsRows(after);
  if (rows.length === 0) return '';
  const table = tableOf(
    ['consumer', 'effects', ...['streams', 'events', 'violations'].map((text): Cell => ({ text, class: 'number' }))],
    rows.map(({ consumer, status, words, streams, events, violations: found }) => [
      consumer,
      { text: words, class: `${EFFECT_CLASS[status]} words` },
      ...[streams, events, found].map((value) => number(String(value))),
    ]),
  );
  return `<h2>Effects</h2><p class="soft">What the consumers did, compared with the events by their own verify().</p>${table}`;
}

/** More are in the JSON report. */
const VIOLATIONS_SHOWN = 50;

/** Of the last look: a proposal was verified before it, and changed nothing. */
function violations({ before, after = before }: RecoveryReport): string {
  if (after === undefined || after.violationCount === 0) return '';
  const rows = after.violations
    .slice(0, VIOLATIONS_SHOWN)
    .map(({ kind, consumer = '', streamId = '', version = '', detail }) => [
      { text: kind, class: 'failed key' },
      consumer,
      { text: streamId, class: 'id' },
      number(String(version)),
      { text: detail, class: 'words' },
    ]);
  return `<h2>Violations: ${after.violationCount}</h2>${tableOf(['kind', 'consumer', 'stream', 'version', 'detail'], rows)}`;
}
