// Key conditions of a query: one partition key by equality, and at most one condition on the sort key. The form is checked
// once per expression text, the values once per request.

import type { KeyAttribute } from '../table-schema.ts';
import type { Comparator, Condition, Operand } from './ast.ts';
import { checkCondition } from './condition-checks.ts';
import { validationError } from './errors.ts';
import { type Place, placeBetween, placeByComparator, placeByPrefix } from './key-place.ts';
import { checkNotEmpty, type KeySchema } from './keys.ts';
import type { Parsed } from './parse.ts';
import { nameOf, type Scope } from './scope.ts';
import { typeOf, type Value } from './values.ts';

export interface KeyRange {
  partition: Value;
  /** Absent: the whole partition. */
  placeOf?: (sort: Value) => Place;
}

/** One condition on one attribute. */
interface Leaf {
  operator: Comparator | 'BETWEEN' | 'begins_with';
  /** A name, or an alias. */
  name: string;
  /** Names of the values. */
  values: readonly string[];
}

const leavesOf = new WeakMap<Condition, readonly Leaf[]>();

export function keyRange(parsed: Parsed<Condition>, scope: Scope, { partitionKey, sortKey }: KeySchema): KeyRange {
  checkCondition(parsed, scope);
  let leaves = leavesOf.get(parsed.tree);
  if (!leaves) {
    leaves = flatten(parsed.tree);
    leavesOf.set(parsed.tree, leaves);
  }
  let partition: Leaf | undefined;
  let sort: Leaf | undefined;
  for (const leaf of leaves) {
    const name = nameOf(leaf.name, scope);
    if (name === partitionKey.name) {
      if (partition) throw twice();
      partition = leaf;
    } else if (sortKey && name === sortKey.name) {
      if (sort) throw twice();
      sort = leaf;
    } else {
      throw missed(partition && sortKey ? sortKey : partitionKey);
    }
  }
  if (!partition) throw missed(partitionKey);
  if (partition.operator !== '=') throw validationError('Query key condition not supported');
  const [value] = valuesIn(partition, partitionKey, scope);
  return {
    partition: value as Value,
    ...(sort && sortKey && { placeOf: placeOf(sort, valuesIn(sort, sortKey, scope)) }),
  };
}

const twice = () => validationError('KeyConditionExpressions must only contain one condition per key');
const missed = ({ name }: KeyAttribute) => validationError(`Query condition missed key schema element: ${name}`);

function flatten(condition: Condition): Leaf[] {
  switch (condition.kind) {
    case 'and':
      return [...flatten(condition.left), ...flatten(condition.right)];
    case 'compare': {
      const { comparator, left, right } = condition;
      if (comparator === '<>') throw invalidOperator('<>');
      return [left.kind === 'value' ? leaf(MIRRORED[comparator], right, left) : leaf(comparator, left, right)];
    }
    case 'between':
      return [leaf('BETWEEN', condition.of, condition.low, condition.high)];
    case 'call':
      if (condition.function !== 'begins_with') throw invalidOperator(condition.function);
      return [leaf('begins_with', condition.args[0] as Operand, condition.args[1] as Operand)];
    default:
      throw invalidOperator(condition.kind.toUpperCase());
  }
}

/** `:v < sk` is `sk > :v`. */
const MIRRORED: Readonly<Record<Comparator, Comparator>> = {
  '=': '=',
  '<>': '<>',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

function leaf(operator: Leaf['operator'], of: Operand, ...operands: Operand[]): Leaf {
  if ([of, ...operands].some(({ kind }) => kind === 'size')) {
    throw validationError('KeyConditionExpressions cannot contain nested operations');
  }
  const values = operands.map((operand) => {
    if (operand.kind === 'value') return operand.name;
    throw validationError(`Invalid condition in KeyConditionExpression: ${operator} takes values, not attributes`);
  });
  if (of.kind !== 'path') {
    throw validationError(`Invalid condition in KeyConditionExpression: ${operator} must be on a key attribute`);
  }
  const [name] = of.path as [string];
  if (of.path.length > 1) {
    throw validationError(
      `Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: ${name}`,
    );
  }
  return { operator, name, values };
}

const invalidOperator = (operator: string) =>
  validationError(`Invalid operator used in KeyConditionExpression: ${operator}`);

function valuesIn({ values }: Leaf, key: KeyAttribute, scope: Scope): Value[] {
  return values.map((name) => {
    const value = scope.values[name] as Value;
    if (typeOf(value) !== key.type) {
      throw validationError(
        'One or more parameter values were invalid: Condition parameter type does not match schema type',
      );
    }
    checkNotEmpty(value, key);
    return value;
  });
}

function placeOf({ operator }: Leaf, [first, second]: Value[]): (sort: Value) => Place {
  if (operator === 'BETWEEN') return placeBetween(first as Value, second as Value);
  if (operator === 'begins_with') return placeByPrefix(first as Value);
  return placeByComparator(operator, first as Value);
}
