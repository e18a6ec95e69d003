// Reports whose every text comes from somebody else: ids, reasons, names, error messages. The page keeps exactly the elements and
// attributes that it has without them, the Markdown exactly its lines and cells, and nothing in either acts.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { renderHtml } from '../../lib/recovery/report/render-html.ts';
import { renderMarkdown } from '../../lib/recovery/report/render-markdown.ts';
import type { RecoveryReport } from '../../lib/recovery/report/types.ts';
import { sampleReport } from '../support/sample-report.ts';
import { ACTS, HOSTILE_TEXTS } from './values.ts';

const RUNS = 200;
/** Texts that break out of one place each: an element, an attribute, a comment, a style, a code fence, a table, a link. */
const BREAK_OUTS = [
  '"><script>alert(1)</script>',
  "' onmouseover='alert(1)",
  '" style="background:url(javascript:alert(1))',
  '</title></g></svg><svg onload=alert(1)>',
  '</pre></main><!--',
  '</style><style>*{display:none}',
  '<![CDATA[x]]>',
  '&lt;script&gt;',
  '```\n# heading\n```',
  '~~~\n<b>x</b>',
  'a | b | c\n|---|---|',
  '[x](javascript:alert(1))',
  '![x](http://x/y.png)',
  '<http://x>',
  '\\| \\',
  '**bold** _it_ ~~no~~ `code`',
  '# heading\n- item\n1. item\n> quote',
];

const hostileText = fc.oneof(
  fc.constantFrom(...BREAK_OUTS),
  fc.constantFrom(...HOSTILE_TEXTS.filter((text) => text.length < 1_000)),
  fc
    .array(fc.constantFrom(...BREAK_OUTS, '<', '>', '"', "'", '&', '|', '`', '\n', '\r', '\u001b[31m', '\\'), {
      maxLength: 6,
    })
    .map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 60 }),
);

/** Its result chooses the headline; everything else may be any text. */
const CHOSEN_BY_US = new Set(['result']);

/** The same report with other texts, each member's own. Empty ones stay: they stand for something that is not there. */
function withTexts(report: RecoveryReport, text: (member: string) => string): RecoveryReport {
  const change = (value: unknown, member: string): unknown => {
    if (typeof value === 'string') return CHOSEN_BY_US.has(member) || value === '' ? value : text(member);
    if (Array.isArray(value)) return value.map((one) => change(one, member));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, change(one, name)]));
  };
  return change(report, '') as RecoveryReport;
}

const FULL = sampleReport({
  nextCommands: ['npx event-recovery verify'],
  after: {
    ...(sampleReport().after as NonNullable<RecoveryReport['after']>),
    violationCount: 1,
    violations: [
      { kind: 'digest', consumer: 'inventory', streamId: 'order-1', version: 3, detail: 'differs' },
    ] as never,
  },
});

/** Elements with the names of their attributes; what a browser would make of it, as far as a scan for tags can tell. */
const elementsOf = (page: string): string[] =>
  [...page.matchAll(/<([a-z!/][^\s>/]*)((?:\s+[a-z:-]+="[^"]*")*)\s*\/?>/gi)].map(([, name, attributes = '']) => {
    const names = [...attributes.matchAll(/([a-z:-]+)="/gi)].map(([, attribute]) => attribute);
    return [name, ...names].join(' ');
  });
const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;

const withoutCode = (markdown: string): string => markdown.replaceAll(/^```[\s\S]*?^```/gm, '');

/** Cells of each table row, by the bars that are not escaped. */
const cellsOf = (markdown: string): number[] =>
  withoutCode(markdown)
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => count(line.replaceAll(/\\./g, ''), /\|/g));

describe('a report with hostile texts', () => {
  const plain = withTexts(FULL, (member) => `plain ${member}`);
  const plainPage = renderHtml(plain);
  const plainMarkdown = renderMarkdown(plain);

  it('has texts in the places that are tried', () => {
    expect(elementsOf(plainPage).length).toBeGreaterThan(50);
    expect(plainPage).toContain('plain nextCommands');
    expect(plainMarkdown).toContain('Violations: 1');
    expect(plainMarkdown).toContain('plain nextCommands');
  });

  it('is the same page: no element, no attribute more or less', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const page = renderHtml(withTexts(FULL, () => text));
        expect(elementsOf(page)).toEqual(elementsOf(plainPage));
        expect(count(page, /</g)).toBe(count(plainPage, /</g));
        expect(count(page, /"/g)).toBe(count(plainPage, /"/g));
        expect(ACTS.exec(page)?.[0]).toBeUndefined();
      }),
      { numRuns: RUNS },
    );
  });

  it('is the same Markdown: no line, no cell more or less, nothing that is a link, an image or HTML', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const markdown = renderMarkdown(withTexts(FULL, () => text));
        expect(markdown.split('\n')).toHaveLength(plainMarkdown.split('\n').length);
        expect(cellsOf(markdown)).toEqual(cellsOf(plainMarkdown));
        expect(count(markdown, /^```/gm)).toBe(count(plainMarkdown, /^```/gm));
        const outsideOfCode = withoutCode(markdown).replaceAll(/\\./g, '');
        expect(outsideOfCode).not.toMatch(/<\w|\]\(|!\[/);
        expect(ACTS.exec(markdown)?.[0]).toBeUndefined();
      }),
      { numRuns: RUNS },
    );
  });
});
