// What DynamoDB refuses in a condition before it looks at an item: values of a type that the operator cannot take, a
// function on something that is no document path, an operand compared with itself, reversed BETWEEN bounds.

import type { Condition, Operand } from './ast.ts';
import { compare } from './order.ts';
import { invalid, type Parsed } from './parse.ts';
import { nameOf, type Scope } from './scope.ts';
import { type TypeCode, typeOf, type Value } from './values.ts';

type Check = (scope: Scope) => string | undefined;

const ORDERED: readonly TypeCode[] = ['S', 'N', 'B'];
const SIZED: readonly TypeCode[] = ['S', 'B', 'SS', 'NS', 'BS', 'L', 'M'];
const TYPE_NAMES: readonly TypeCode[] = ['N', 'BS', 'L', 'B', 'NULL', 'M', 'S', 'SS', 'NS', 'BOOL'];

const checksOf = new WeakMap<Condition, Check[]>();

export function checkCondition(parsed: Parsed<Condition>, scope: Scope): void {
  let checks = checksOf.get(parsed.tree);
  if (!checks) {
    checks = [];
    collect(parsed.tree, checks);
    checksOf.set(parsed.tree, checks);
  }
  for (const check of checks) {
    const problem = check(scope);
    if (problem !== undefined) throw invalid(parsed.kind, problem);
  }
}

function collect(condition: Condition, checks: Check[]): void {
  switch (condition.kind) {
    case 'and':
    case 'or':
      collect(condition.left, checks);
      collect(condition.right, checks);
      return;
    case 'not':
      collect(condition.of, checks);
      return;
    case 'compare':
      collectComparison(condition, checks);
      return;
    case 'between':
      for (const operand of [condition.of, condition.low, condition.high])
        collectOperand(operand, 'BETWEEN', ORDERED, checks);
      collectBounds(condition, checks);
      return;
    case 'in':
      for (const operand of [condition.of, ...condition.candidates]) collectSize(operand, checks);
      return;
    case 'call':
      collectCall(condition, checks);
  }
}

function collectComparison(condition: Extract<Condition, { kind: 'compare' }>, checks: Check[]): void {
  const { comparator, left, right } = condition;
  const ordered = comparator !== '=' && comparator !== '<>';
  for (const operand of [left, right]) {
    if (ordered) collectOperand(operand, comparator, ORDERED, checks);
    else collectSize(operand, checks);
  }
  if (left.kind === 'path' && right.kind === 'path') {
    checks.push((scope) => {
      const [a, b] = [left.path, right.path].map((path) =>
        path.map((part) => (typeof part === 'string' ? nameOf(part, scope) : `[${part}]`)),
      ) as [string[], string[]];
      return a.length === b.length && a.every((part, i) => part === b[i])
        ? `The first operand must be distinct from the remaining operands for this operator or function; operator: ${comparator}, first operand: [${a.join(', ')}]`
        : undefined;
    });
  }
}

function collectBounds({ low, high }: Extract<Condition, { kind: 'between' }>, checks: Check[]): void {
  if (low.kind !== 'value' || high.kind !== 'value') return;
  checks.push((scope) => {
    const [from, to] = [scope.values[low.name] as Value, scope.values[high.name] as Value];
    if (typeOf(from) !== typeOf(to)) {
      return `The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {${shown(from)}}, upper bound operand: AttributeValue: {${shown(to)}}`;
    }
    return (compare(from, to) ?? 0) > 0
      ? `The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {${shown(from)}}, upper bound operand: AttributeValue: {${shown(to)}}`
      : undefined;
  });
}

const shown = (value: Value): string => `${typeOf(value)}:${String(value)}`;

function collectCall(call: Extract<Condition, { kind: 'call' }>, checks: Check[]): void {
  const [first, second] = call.args as [Operand, Operand | undefined];
  const name = call.function;
  if (name === 'attribute_exists' || name === 'attribute_not_exists' || name === 'attribute_type') {
    if (first.kind !== 'path') {
      checks.push(() => `Operator or function requires a document path; operator or function: ${name}`);
    }
  }
  if (name === 'begins_with') {
    collectOperand(first, name, ['S', 'B'], checks);
    collectOperand(second as Operand, name, ['S', 'B'], checks);
  }
  if (name === 'contains') {
    collectSize(first, checks);
    collectSize(second as Operand, checks);
  }
  if (name === 'attribute_type') collectTypeName(second as Operand, checks);
}

function collectTypeName(operand: Operand, checks: Check[]): void {
  collectOperand(operand, 'attribute_type', ['S'], checks);
  if (operand.kind !== 'value') return;
  checks.push((scope) => {
    const value = scope.values[operand.name];
    return TYPE_NAMES.includes(value as TypeCode)
      ? undefined
      : `Invalid attribute type name found; type: ${String(value)}, valid types: {${TYPE_NAMES.join(',')}}`;
  });
}

function collectOperand(operand: Operand, operator: string, allowed: readonly TypeCode[], checks: Check[]): void {
  collectSize(operand, checks);
  if (operand.kind !== 'value') return;
  checks.push((scope) => {
    const type = typeOf(scope.values[operand.name] as Value);
    return allowed.includes(type)
      ? undefined
      : `Incorrect operand type for operator or function; operator or function: ${operator}, operand type: ${type}`;
  });
}

function collectSize(operand: Operand, checks: Check[]): void {
  if (operand.kind !== 'size' || operand.of.kind !== 'value') return;
  const { name } = operand.of;
  checks.push((scope) => {
    const type = typeOf(scope.values[name] as Value);
    return SIZED.includes(type)
      ? undefined
      : `Incorrect operand type for operator or function; operator or function: size, operand type: ${type}`;
  });
}
