// What a field may be, in words, from what the schema found wrong with it. Pure. The schema library says only "Invalid input"
// unless a language is loaded, which every function would carry along.

import type { z } from 'zod/mini';

type Issue = z.core.$ZodIssue;

const listed = (values: readonly unknown[]): string => values.map((value) => JSON.stringify(value)).join(', ');

/** Of a length, what is counted. */
const UNITS: Readonly<Record<string, readonly [one: string, many: string]>> = {
  string: [' character', ' characters'],
  array: [' entry', ' entries'],
};

const KINDS: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'text',
  boolean: 'true or false',
  object: 'a JSON object',
  array: 'a JSON array',
};

function bound(side: 'least' | 'most', limit: unknown, isInclusive: boolean, origin: string): string {
  const unit = UNITS[origin]?.[limit === 1 ? 0 : 1] ?? '';
  if (isInclusive) return `at ${side} ${limit}${unit}`;
  return `${side === 'least' ? 'more' : 'less'} than ${limit}${unit}`;
}

/** @example allowedBy(issue) // 'at least 0.1' */
export function allowedBy(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return KINDS[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return issue.values.length === 1 ? listed(issue.values) : `one of ${listed(issue.values)}`;
    case 'too_small':
      return bound('least', issue.minimum, issue.inclusive ?? true, issue.origin);
    case 'too_big':
      return bound('most', issue.maximum, issue.inclusive ?? true, issue.origin);
    case 'unrecognized_keys':
      return `no field ${listed(issue.keys)}`;
    case 'invalid_union': {
      const { options } = issue as { options?: readonly unknown[] };
      return options === undefined ? 'one of the documented forms' : `one of ${listed(options)}`;
    }
    case 'invalid_format':
      return issue.pattern === undefined
        ? `text that is a valid ${issue.format}`
        : `text that matches ${issue.pattern}`;
    default:
      return 'what its page under docs/operations says';
  }
}
