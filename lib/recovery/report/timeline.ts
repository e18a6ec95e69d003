// The timeline picture: one bar per step over a common time axis, from the first sign to the end. Inline SVG, coloured by the
// page's own variables, so that it is readable in light and in dark.

import { html } from './escape.ts';
import type { RecoveryReport, ReportStep } from './types.ts';
import { duration } from './words.ts';

const WIDTH = 860;
const LABEL_WIDTH = 170;
const RIGHT_MARGIN = 70;
const ROW_HEIGHT = 26;
const TICKS = 5;

export function renderTimeline(report: RecoveryReport): string {
  const sign: ReportStep = {
    name: 'first sign to notice',
    startedAt: report.firstSignAt,
    endedAt: report.detectedAt,
    outcome: 'waiting',
    summary: 'from the oldest evidence to the moment that it was noticed',
  };
  const steps = [...(report.detectedAt > report.firstSignAt ? [sign] : []), ...report.steps];
  const from = Math.min(report.startedAt, ...steps.map(({ startedAt }) => startedAt));
  const to = Math.max(report.endedAt, from + 1, ...steps.map(({ endedAt }) => endedAt));
  const width = WIDTH - LABEL_WIDTH - RIGHT_MARGIN;
  const x = (ms: number): number => LABEL_WIDTH + ((ms - from) / (to - from)) * width;
  const height = steps.length * ROW_HEIGHT + 30;

  const ticks = Array.from({ length: TICKS + 1 }, (_, index) => from + ((to - from) * index) / TICKS)
    .map((ms) => {
      const at = x(ms).toFixed(1);
      return `<line class="tick" x1="${at}" y1="0" x2="${at}" y2="${height - 24}"/><text class="axis" x="${at}" y="${height - 8}" text-anchor="middle">${duration(ms - from)}</text>`;
    })
    .join('');
  const bars = steps
    .map((step, index) => {
      const y = index * ROW_HEIGHT;
      const barWidth = Math.max(2, x(step.endedAt) - x(step.startedAt));
      return `<g><title>${html(`${step.name}: ${step.summary}`)}</title><text x="${LABEL_WIDTH - 10}" y="${y + 17}" text-anchor="end">${html(step.name)}</text><rect class="bar ${html(step.outcome)}" x="${x(step.startedAt).toFixed(1)}" y="${y + 5}" width="${barWidth.toFixed(1)}" height="${ROW_HEIGHT - 10}" rx="3"/><text class="took" x="${(x(step.startedAt) + barWidth + 6).toFixed(1)}" y="${y + 17}">${duration(step.endedAt - step.startedAt)}</text></g>`;
    })
    .join('');
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Timeline of the recovery">${ticks}${bars}</svg>`;
}
