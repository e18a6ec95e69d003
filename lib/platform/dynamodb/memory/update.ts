// Evaluates a parsed update expression. Every value is computed from the item as it was; then SET, ADD, DELETE and REMOVE
// change a copy, of which only the touched containers are new. The stored item itself never changes.

import { add, negate } from './arithmetic.ts';
import type { SetValue, Update, UpdateOperand } from './ast.ts';
import { validationError } from './errors.ts';
import { hasMember } from './order.ts';
import type { Parsed } from './parse.ts';
import type { RealPath } from './paths.ts';
import { resolve, type Scope } from './scope.ts';
import { checkUpdate } from './update-checks.ts';
import { removeAt, setAt } from './update-paths.ts';
import { type AttributeSet, type Item, isSet, typeOf, type Value } from './values.ts';

/** Applies to the item that exists, or to one that holds only its key. */
export type Updater = (item: Item) => Item;

export interface PreparedUpdate {
  apply: Updater;
  /** What the expression touches, for UPDATED_OLD and UPDATED_NEW. */
  paths: readonly RealPath[];
}

export function prepareUpdate(parsed: Parsed<Update>, scope: Scope, keyNames: readonly string[]): PreparedUpdate {
  const paths = checkUpdate(parsed, scope, keyNames);
  return { paths, apply: (item) => applied(parsed.tree, paths, item, scope) };
}

/** `paths` are in the order of the clauses: SET, REMOVE, ADD, DELETE. */
function applied(update: Update, paths: readonly RealPath[], item: Item, scope: Scope): Item {
  const assigned: [RealPath, Value][] = [];
  let next = 0;
  for (const { value } of update.set) {
    assigned.push([paths[next] as RealPath, setValue(value, item, scope)]);
    next += 1;
  }
  const removed = paths.slice(next, next + update.remove.length);
  next += update.remove.length;
  for (const { path, value } of update.add) {
    assigned.push([paths[next] as RealPath, added(resolve(item, path, scope), scope.values[value] as Value)]);
    next += 1;
  }
  for (const { path, value } of update.delete) {
    const rest = without(resolve(item, path, scope), scope.values[value] as AttributeSet);
    if (rest === undefined) removed.push(paths[next] as RealPath);
    else assigned.push([paths[next] as RealPath, rest]);
    next += 1;
  }
  return removeAt(setAt(item, assigned), removed);
}

const incorrectType = () => validationError('An operand in the update expression has an incorrect data type');

function setValue(value: SetValue, item: Item, scope: Scope): Value {
  if (value.kind !== '+' && value.kind !== '-') return operand(value, item, scope);
  const [left, right] = [operand(value.left, item, scope), operand(value.right, item, scope)];
  if (!isNumber(left) || !isNumber(right)) throw incorrectType();
  return add(left, value.kind === '+' ? right : negate(right));
}

const isNumber = (value: Value): value is number | bigint => typeof value === 'number' || typeof value === 'bigint';

function operand(node: UpdateOperand, item: Item, scope: Scope): Value {
  switch (node.kind) {
    case 'value':
      return scope.values[node.name] as Value;
    case 'path': {
      const value = resolve(item, node.path, scope);
      if (value !== undefined) return value;
      throw validationError('The provided expression refers to an attribute that does not exist in the item');
    }
    case 'if_not_exists': {
      // A stored NULL exists.
      const value = resolve(item, node.path, scope);
      return value === undefined ? operand(node.otherwise, item, scope) : value;
    }
    case 'list_append': {
      const [first, second] = [operand(node.first, item, scope), operand(node.second, item, scope)];
      if (!Array.isArray(first) || !Array.isArray(second)) throw incorrectType();
      return [...first, ...second];
    }
  }
}

function added(old: Value | undefined, value: Value): Value {
  if (old === undefined) return value;
  if (isNumber(old) && isNumber(value)) return add(old, value);
  if (typeof old !== 'object' || old === null || !isSet(old) || typeOf(old) !== typeOf(value)) throw incorrectType();
  const union = new Set<unknown>(old);
  for (const one of value as AttributeSet) if (!hasMember(old, one)) union.add(one);
  return union as AttributeSet;
}

/** What remains of a set; undefined when nothing does, because DynamoDB has no empty sets. */
function without(old: Value | undefined, removed: AttributeSet): Value | undefined {
  if (old === undefined) return undefined;
  if (typeof old !== 'object' || old === null || !isSet(old) || typeOf(old) !== typeOf(removed)) throw incorrectType();
  const rest = [...(old as Set<string>)].filter((one) => !hasMember(removed, one));
  return rest.length > 0 ? new Set(rest) : undefined;
}
