import { describe, expect, it } from '@jest/globals';
import { nextRun } from '../../../lib/local/bus/schedule.ts';

const at = (text: string): number => new Date(text).getTime();
const next = (expression: string, after: string): string => new Date(nextRun(expression, at(after))).toISOString();

describe('schedules', () => {
  it.each([
    ['rate(1 minute)', '2026-11-24T10:00:30Z', '2026-11-24T10:01:30.000Z'],
    ['rate(5 minutes)', '2026-11-24T10:00:00Z', '2026-11-24T10:05:00.000Z'],
    ['rate(2 days)', '2026-11-24T10:00:00Z', '2026-11-26T10:00:00.000Z'],
    ['cron(0 3 * * ? *)', '2026-11-24T03:00:00Z', '2026-11-25T03:00:00.000Z'],
    ['cron(0/15 * * * ? *)', '2026-11-24T10:16:00Z', '2026-11-24T10:30:00.000Z'],
    ['cron(30 6 1 * ? *)', '2026-11-24T10:00:00Z', '2026-12-01T06:30:00.000Z'],
    ['cron(0 8 ? * MON-FRI *)', '2026-11-27T09:00:00Z', '2026-11-30T08:00:00.000Z'],
    ['cron(0 0 29 2 ? *)', '2026-11-24T10:00:00Z', '2028-02-29T00:00:00.000Z'],
  ])('%s after %s is %s', (expression, after, expected) => {
    expect(next(expression, after)).toBe(expected);
  });

  it.each(['every day', 'cron(0 3 * *)', 'cron(x 3 * * ? *)', 'cron(0 0 31 2 ? *)'])('refuses %s', (expression) => {
    expect(() => nextRun(expression, at('2026-11-24T10:00:00Z'))).toThrow(
      expect.objectContaining({ code: 'LOCAL_INVALID_SCHEDULE' }),
    );
  });
});
