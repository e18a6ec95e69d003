import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { renderHtml } from '../../../lib/recovery/report/render-html.ts';
import { renderMarkdown } from '../../../lib/recovery/report/render-markdown.ts';
import { timesOf } from '../../../lib/recovery/report/types.ts';
import { duration } from '../../../lib/recovery/report/words.ts';
import { sampleReport } from '../../support/sample-report.ts';

describe('the report of a recovery', () => {
  it('says how long each part took', () => {
    expect(timesOf(sampleReport())).toEqual({
      detectMs: 95_000,
      diagnoseMs: 1_400,
      recoverMs: 41_000,
      verifyMs: 2_600,
    });
    expect([12, 1_400, 65_000, 7_500_000].map(duration)).toEqual(['12 ms', '1.4 s', '1 min 5 s', '2 h 5 min']);
  });

  it('shows conservation before and after in both renderings', () => {
    expect(renderHtml(sampleReport())).toContain('12 → 0');
    expect(renderMarkdown(sampleReport())).toContain('| inventory | 100 | 88 → 100 | 0 | 0 | 0 | 0 | 0 | 12 → 0 |');
  });

  it('says of every consumer whether its effects are there, wrong, or unknown', () => {
    const { after } = sampleReport();
    const [inventory, notification] = after?.consumers ?? [];
    const failed = { status: 'failed', streams: 3, events: 9, violations: 0, unsettled: 2 } as const;
    const consumers = [{ ...inventory, effects: failed }, notification] as NonNullable<typeof after>['consumers'];
    const report = sampleReport({ after: { ...after, consumers } as typeof after });
    expect(renderMarkdown(sampleReport())).toContain('| inventory | verified | 20 | 100 | 0 |');
    expect(renderMarkdown(report)).toContain(
      '| inventory | FAILED: it could not say; 2 streams moved at every look: verify again when it is quiet | 3 | 9 | 0 |',
    );
    for (const rendered of [renderHtml(report), renderMarkdown(report)]) {
      expect(rendered).toContain('effect not verified: the consumer defines no verify');
    }
  });

  it('is one self-contained page: nothing is loaded from elsewhere and no script runs', () => {
    const page = renderHtml(sampleReport());
    expect(page).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|\bsrc=|https?:/i);
    expect(page).toContain('prefers-color-scheme:dark');
    expect(page).toMatch(/<svg[^>]*role="img"/);
  });

  it('shows the violations of a proposal, which was verified before it and changed nothing', () => {
    const { before } = sampleReport();
    const violations = [
      { kind: 'store-hash', streamId: 'order-7', version: 3, detail: 'not what was stored' },
    ] as const;
    const damaged = { ...before, ok: false, violations: [...violations], violationCount: 1 } as typeof before;
    const proposal = sampleReport({ result: 'proposed', before: damaged, after: undefined });
    for (const rendered of [renderHtml(proposal), renderMarkdown(proposal)]) {
      expect(rendered).toContain('Violations: 1');
      expect(rendered).toContain('not what was stored');
    }
  });

  it('lets no text of unknown origin out of its place', () => {
    const hostile = '"><script>alert(1)</script><b onclick=x>';
    const page = renderHtml(sampleReport({ reason: hostile, id: hostile, requestedBy: hostile }));
    expect(page).not.toContain('<script');
    expect(page).not.toContain('<b onclick');
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const steps = [
          { ...(sampleReport().steps[0] as never as { name: string }), name: text, summary: text },
        ] as never;
        const tagsOf = (html: string) => html.match(/<[a-z/!][^>]*>/gi)?.length;
        expect(tagsOf(renderHtml(sampleReport({ steps, reason: text })))).toBe(
          tagsOf(
            renderHtml(
              sampleReport({ steps: [{ ...sampleReport().steps[0], name: 'x', summary: 'x' }] as never, reason: 'x' }),
            ),
          ),
        );
        const lines = renderMarkdown(sampleReport({ reason: text })).split('\n').length;
        expect(lines).toBe(renderMarkdown(sampleReport({ reason: 'x' })).split('\n').length);
      }),
    );
  });
});
