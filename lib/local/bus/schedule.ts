// Schedule expressions of EventBridge: `rate(...)` and `cron(...)` in UTC. Pure: says when the next run is due.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html

import { InvalidInputError } from '../../model/errors.ts';

/** Milliseconds since 1970 of the first run after `after`. @throws InvalidInputError `LOCAL_INVALID_SCHEDULE` */
export function nextRun(expression: string, after: number): number {
  const rate = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression);
  if (rate) return after + Number(rate[1]) * UNIT_MS[rate[2] as keyof typeof UNIT_MS];
  const cron = /^cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)$/.exec(expression);
  if (!cron) throw invalid(expression);
  return nextCron(cron.slice(1), after, expression);
}

const UNIT_MS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
/** Far enough for 29 February. */
const HORIZON_DAYS = 366 * 8;

function nextCron(fields: string[], after: number, expression: string): number {
  const [minutes, hours, daysOfMonth, months, daysOfWeek, years] = fields as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const hoursWanted = values(hours, 0, 23, expression);
  const minutesWanted = values(minutes, 0, 59, expression);
  const monthsWanted = values(named(months, MONTHS, 1), 1, 12, expression);
  const yearsWanted = values(years, 1970, 2199, expression);
  const daysWanted = values(daysOfMonth === '?' ? '*' : daysOfMonth, 1, 31, expression);
  // Sunday is 1 in EventBridge.
  const weekdaysWanted = values(named(daysOfWeek === '?' ? '*' : daysOfWeek, DAYS, 1), 1, 7, expression);
  const start = new Date(after);
  for (let day = 0; day < HORIZON_DAYS; day += 1) {
    const date = new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth(), start.getUTCDate() + day));
    if (!yearsWanted.has(date.getUTCFullYear()) || !monthsWanted.has(date.getUTCMonth() + 1)) continue;
    if (!daysWanted.has(date.getUTCDate()) || !weekdaysWanted.has(date.getUTCDay() + 1)) continue;
    for (const hour of hoursWanted) {
      for (const minute of minutesWanted) {
        const at = date.getTime() + hour * UNIT_MS.hour + minute * UNIT_MS.minute;
        if (at > after) return at;
      }
    }
  }
  throw invalid(expression);
}

const named = (field: string, names: string[], first: number): string =>
  names.reduce((text, name, index) => text.replaceAll(name, String(index + first)), field.toUpperCase());

/** `*`, `5`, `1-5`, `0/15`, and lists of these. */
function values(field: string, low: number, high: number, expression: string): Set<number> {
  const wanted = new Set<number>();
  for (const part of field.split(',')) {
    const found = /^(?:(\*)|(\d+)(?:-(\d+))?)(?:\/(\d+))?$/.exec(part);
    if (!found) throw invalid(expression);
    const step = found[4] === undefined ? undefined : Number(found[4]);
    const from = found[1] === undefined ? Number(found[2]) : low;
    const until =
      found[3] === undefined ? (found[1] === undefined && step === undefined ? from : high) : Number(found[3]);
    for (let value = from; value <= until; value += step ?? 1) wanted.add(value);
  }
  return new Set([...wanted].sort((a, b) => a - b));
}

const invalid = (expression: string): InvalidInputError =>
  new InvalidInputError('LOCAL_INVALID_SCHEDULE', {
    what: 'schedule expression',
    got: expression,
    allowed:
      'rate(<n> minutes|hours|days) or cron(<minute> <hour> <day> <month> <weekday> <year>) with numbers, names, ranges, steps and lists',
    remedy: 'use one of these forms',
  });
