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
