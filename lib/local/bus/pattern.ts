// EventBridge event patterns, also used for event source mapping filters. Pure. Covers exact values, prefix, suffix,
// equals-ignore-case, wildcard, anything-but (values, prefix, suffix, wildcard), exists, numeric and $or; another
// operator is an error with its name when the rule is deployed.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html

import { EventRecoveryError } from '../../model/errors.ts';

export type Pattern = { [key: string]: unknown };
type Test = (value: unknown) => boolean;

/** True when the event has every field that the pattern names, with one of the values that it lists. */
export function matches(pattern: Pattern, event: unknown): boolean {
  return Object.entries(pattern).every(([key, expected]) => {
    if (key === '$or') return (expected as Pattern[]).some((alternative) => matches(alternative, event));
    const value = isObject(event) ? event[key] : undefined;
    if (!Array.isArray(expected)) {
      // An array in the event matches when one of its elements does.
      return [value].flat().some((element) => matches(expected as Pattern, element));
    }
    return expected.some((one) => leafMatches(one, value));
  });
}

/** Throws for an operator that is not implemented, before any event is tested. */
export function checkPattern(pattern: Pattern): void {
  for (const [key, expected] of Object.entries(pattern)) {
    if (key === '$or') for (const alternative of expected as Pattern[]) checkPattern(alternative);
    else if (!Array.isArray(expected)) checkPattern(expected as Pattern);
    else for (const one of expected) if (isObject(one)) testOf(one);
  }
}

function leafMatches(expected: unknown, value: unknown): boolean {
  if (isObject(expected)) {
    const [operator, argument] = single(expected);
    if (operator === 'exists') return (value !== undefined && !isObject(value)) === argument;
    const test = testOf(expected);
    if (operator === 'anything-but') return value !== undefined && [value].flat().every(test);
    return value !== undefined && [value].flat().some(test);
  }
  return [value].flat().some((element) => element === expected);
}

function testOf(expected: Record<string, unknown>): Test {
  const [operator, argument] = single(expected);
  switch (operator) {
    case 'exists':
      return () => argument === true;
    case 'prefix':
      return text((value) => folded(argument, value, (whole, part) => whole.startsWith(part)));
    case 'suffix':
      return text((value) => folded(argument, value, (whole, part) => whole.endsWith(part)));
    case 'equals-ignore-case':
      return text((value) => value.toLowerCase() === String(argument).toLowerCase());
    case 'wildcard':
      return text((value) => wildcard(String(argument)).test(value));
    case 'numeric':
      return (value) => typeof value === 'number' && numericHolds(argument as (string | number)[], value);
    case 'anything-but':
      return anythingBut(argument);
    default:
      throw new EventRecoveryError(
        'LOCAL_UNSUPPORTED_PATTERN',
        `the local bus does not know the event pattern operator "${operator}"; remedy: add it to lib/local/bus/pattern.ts`,
        { facts: { operator } },
      );
  }
}

function anythingBut(argument: unknown): Test {
  if (!isObject(argument)) {
    const excluded = [argument].flat();
    return (value) => !excluded.includes(value);
  }
  const [operator, inner] = single(argument);
  const tests = [inner].flat().map((one) => testOf({ [operator]: one }));
  return (value) => !tests.some((test) => test(value));
}

const text =
  (test: (value: string) => boolean): Test =>
  (value) =>
    typeof value === 'string' && test(value);

/** `prefix` and `suffix` take a string, or `{ "equals-ignore-case": string }`. */
function folded(argument: unknown, value: string, test: (whole: string, part: string) => boolean): boolean {
  if (!isObject(argument)) return test(value, String(argument));
  return test(value.toLowerCase(), String(argument['equals-ignore-case']).toLowerCase());
}

const wildcard = (pattern: string): RegExp =>
  new RegExp(`^${pattern.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`, 's');

function numericHolds(argument: (string | number)[], value: number): boolean {
  for (let at = 0; at < argument.length; at += 2) {
    const limit = Number(argument[at + 1]);
    const comparisons: Record<string, boolean> = {
      '=': value === limit,
      '<': value < limit,
      '<=': value <= limit,
      '>': value > limit,
      '>=': value >= limit,
    };
    if (!comparisons[String(argument[at])]) return false;
  }
  return true;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const single = (object: Record<string, unknown>): [string, unknown] => Object.entries(object)[0] ?? ['', undefined];
