// What a request brings along for its expressions: aliases and values. Undefined ones and unused ones are refused, like
// the server does; otherwise a misspelt condition would silently test nothing.

import type { Path } from './ast.ts';
import { validationError } from './errors.ts';
import { invalid, type Parsed } from './parse.ts';
import { copyIn, member, type Value, type ValueMap } from './values.ts';

export interface Scope {
  names: Readonly<Record<string, string>>;
  values: Readonly<Record<string, Value>>;
}

const NONE: Scope = { names: {}, values: {} };

interface Aliases {
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues?: Record<string, unknown>;
}

type Expressions = readonly (Parsed<unknown> | undefined)[];

/**
 * Checks that names and values are exactly those which the expressions use; copies the values.
 * @param absent what the server says when there are values but no expression, for example "ConditionExpression is null"
 */
export function scopeOf(request: Aliases, expressions: Expressions, absent: string): Scope {
  const { ExpressionAttributeNames: names, ExpressionAttributeValues: rawValues } = request;
  const fitting = fittingScope(names, rawValues, expressions);
  if (fitting) return fitting;
  if (names) checkGiven('Names', names, expressions, '');
  if (rawValues) checkGiven('Values', rawValues, expressions, `: ${absent}`);
  const values = rawValues && valuesIn(rawValues);
  for (const expression of expressions) {
    if (expression) checkDefined(expression, names, values);
  }
  if (names) checkUsed('Names', names, expressions);
  if (values) checkUsed('Values', values, expressions);
  return names || values ? { names: names ?? NONE.names, values: values ?? NONE.values } : NONE;
}

/** Nearly every request brings exactly what its expressions use: then two counts and a look at each say so. */
function fittingScope(
  names: Record<string, string> | undefined,
  rawValues: Record<string, unknown> | undefined,
  expressions: Expressions,
): Scope | undefined {
  const used = usedBy(expressions);
  if (!used || !holdsExactly(names, used.names)) return undefined;
  const values = rawValues && valuesIn(rawValues);
  if (!holdsExactly(values, used.values)) return undefined;
  return { names: names ?? NONE.names, values: values ?? NONE.values };
}

function holdsExactly(given: object | undefined, used: readonly string[]): boolean {
  if (!given || used.length === 0) return !given && used.length === 0;
  let count = 0;
  for (const _ in given) count += 1;
  if (count !== used.length) return false;
  for (const name of used) if (!Object.hasOwn(given, name)) return false;
  return true;
}

interface Used {
  names: readonly string[];
  values: readonly string[];
}

const NOTHING: Used = { names: [], values: [] };
const NO_SECOND = {};
const usedByPair = new WeakMap<object, WeakMap<object, Used>>();

/** Of at most two expressions; undefined for more. */
function usedBy(expressions: Expressions): Used | undefined {
  let first: Parsed<unknown> | undefined;
  let second: Parsed<unknown> | undefined;
  for (const expression of expressions) {
    if (!expression) continue;
    if (second) return undefined;
    if (first) second = expression;
    else first = expression;
  }
  if (!first) return NOTHING;
  let seconds = usedByPair.get(first);
  if (!seconds) {
    seconds = new WeakMap();
    usedByPair.set(first, seconds);
  }
  let used = seconds.get(second ?? NO_SECOND);
  if (!used) {
    const of = (field: 'names' | 'values') => [
      ...new Set([...(first?.references[field] ?? []), ...(second?.references[field] ?? [])]),
    ];
    used = { names: of('names'), values: of('values') };
    seconds.set(second ?? NO_SECOND, used);
  }
  return used;
}

function valuesIn(raw: Record<string, unknown>): Record<string, Value> {
  const values: Record<string, Value> = {};
  for (const name of Object.keys(raw)) {
    const value = raw[name];
    if (value !== undefined) values[name] = copyIn(value);
  }
  return values;
}

function checkDefined(
  { kind, references }: Parsed<unknown>,
  names: Record<string, string> | undefined,
  values: Record<string, Value> | undefined,
): void {
  for (const name of references.names) {
    if (!names || !Object.hasOwn(names, name)) {
      throw invalid(
        kind,
        `An expression attribute name used in the document path is not defined; attribute name: ${name}`,
      );
    }
  }
  for (const value of references.values) {
    if (!values || !Object.hasOwn(values, value)) {
      throw invalid(kind, `An expression attribute value used in expression is not defined; attribute value: ${value}`);
    }
  }
}

function checkGiven(what: 'Names' | 'Values', given: object, expressions: Expressions, absent: string): void {
  if (Object.keys(given).length === 0) throw validationError(`ExpressionAttribute${what} must not be empty`);
  for (const expression of expressions) if (expression) return;
  throw validationError(`ExpressionAttribute${what} can only be specified when using expressions${absent}`);
}

function checkUsed(what: 'Names' | 'Values', given: object, expressions: Expressions): void {
  const field = what === 'Names' ? 'names' : 'values';
  const unused: string[] = [];
  for (const one of Object.keys(given)) {
    let used = false;
    for (const expression of expressions) used ||= expression?.references[field].has(one) === true;
    if (!used) unused.push(one);
  }
  if (unused.length > 0) {
    throw validationError(
      `Value provided in ExpressionAttribute${what} unused in expressions: keys: {${unused.join(', ')}}`,
    );
  }
}

export const nameOf = (part: string, scope: Scope): string =>
  part.charCodeAt(0) === 35 /* # */ ? (scope.names[part] as string) : part;

/** Follows a document path; undefined when any step is missing or of another type. */
export function resolve(item: ValueMap, path: Path, scope: Scope): Value | undefined {
  let value: Value | undefined = item;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    if (typeof part === 'number') {
      if (!Array.isArray(value)) return undefined;
      value = value[part];
    } else {
      if (Array.isArray(value) || value instanceof Uint8Array || value instanceof Set) return undefined;
      value = member(value, nameOf(part, scope));
    }
    if (value === undefined) return undefined;
  }
  return value;
}
