// Evaluates a parsed condition or filter against one item. A missing attribute makes a comparison false, like in
// DynamoDB; comparing different types is false too, never an error.

import type { Comparator, Condition, Operand } from './ast.ts';
import { checkCondition } from './condition-checks.ts';
import { compare, equal, hasMember } from './order.ts';
import type { Parsed } from './parse.ts';
import { resolve, type Scope } from './scope.ts';
import { utf8Length } from './size.ts';
import { type Item, isBinary, isSet, typeOf, type Value } from './values.ts';

/** Checks once per request what does not depend on an item, then answers per item. */
export function conditionTest(parsed: Parsed<Condition>, scope: Scope): (item: Item) => boolean {
  checkCondition(parsed, scope);
  return (item) => holds(parsed.tree, item, scope);
}

function holds(condition: Condition, item: Item, scope: Scope): boolean {
  switch (condition.kind) {
    case 'and':
      return holds(condition.left, item, scope) && holds(condition.right, item, scope);
    case 'or':
      return holds(condition.left, item, scope) || holds(condition.right, item, scope);
    case 'not':
      return !holds(condition.of, item, scope);
    case 'compare':
      return comparesAs(
        condition.comparator,
        operand(condition.left, item, scope),
        operand(condition.right, item, scope),
      );
    case 'between': {
      const value = operand(condition.of, item, scope);
      return (
        comparesAs('>=', value, operand(condition.low, item, scope)) &&
        comparesAs('<=', value, operand(condition.high, item, scope))
      );
    }
    case 'in': {
      const value = operand(condition.of, item, scope);
      return condition.candidates.some((candidate) => comparesAs('=', value, operand(candidate, item, scope)));
    }
    case 'call':
      return callHolds(condition, item, scope);
  }
}

function callHolds(call: Extract<Condition, { kind: 'call' }>, item: Item, scope: Scope): boolean {
  const first = operand(call.args[0] as Operand, item, scope);
  if (call.function === 'attribute_exists') return first !== undefined;
  if (call.function === 'attribute_not_exists') return first === undefined;
  const second = operand(call.args[1] as Operand, item, scope);
  if (first === undefined || second === undefined) return false;
  if (call.function === 'attribute_type') return typeOf(first) === second;
  return call.function === 'begins_with' ? beginsWith(first, second) : contains(first, second);
}

export function beginsWith(value: Value, prefix: Value): boolean {
  if (typeof value === 'string') return typeof prefix === 'string' && value.startsWith(prefix);
  return isBinary(value) && isBinary(prefix) && equal(value.subarray(0, prefix.length), prefix);
}

function contains(value: Value, wanted: Value): boolean {
  if (typeof value === 'string') return typeof wanted === 'string' && value.includes(wanted);
  if (typeof value !== 'object' || value === null) return false;
  if (isBinary(value)) return isBinary(wanted) && Buffer.from(value).includes(Buffer.from(wanted));
  if (Array.isArray(value)) return value.some((element) => equal(element, wanted));
  return isSet(value) && hasMember(value, wanted);
}

function operand(node: Operand, item: Item, scope: Scope): Value | undefined {
  if (node.kind === 'path') return resolve(item, node.path, scope);
  if (node.kind === 'value') return scope.values[node.name];
  const of = operand(node.of, item, scope);
  return of === undefined ? undefined : lengthOf(of);
}

/** What `size()` gives; undefined for types that have none. */
function lengthOf(value: Value): number | undefined {
  if (typeof value === 'string') return utf8Length(value);
  if (typeof value !== 'object' || value === null) return undefined;
  if (isBinary(value) || Array.isArray(value)) return value.length;
  return isSet(value) ? value.size : Object.keys(value).length;
}

function comparesAs(comparator: Comparator, left: Value | undefined, right: Value | undefined): boolean {
  // A missing attribute differs from everything, also from another missing one.
  if (left === undefined || right === undefined) return comparator === '<>';
  if (comparator === '=') return equal(left, right);
  if (comparator === '<>') return !equal(left, right);
  const order = compare(left, right);
  if (order === undefined) return false;
  switch (comparator) {
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}
