// Key conditions of a query: one partition key by equality, and at most one condition on the sort key.

import type { Condition, Operand } from './ast.ts';
import { beginsWith } from './condition.ts';
import { checkCondition } from './condition-checks.ts';
import { validationError } from './errors.ts';
import type { KeySchema } from './keys.ts';
import { compare } from './order.ts';
import { invalid, type Parsed } from './parse.ts';
import { nameOf, type Scope } from './scope.ts';
import { typeOf, type Value } from './values.ts';

export interface KeyRange {
  partition: Value;
  /** Whether a sort key is below the range, in it, or above it. */
  place(sort: Value): 'below' | 'inside' | 'above';
}

type Leaf = Extract<Condition, { kind: 'compare' | 'between' | 'call' }>;

export function keyRange(parsed: Parsed<Condition>, scope: Scope, schema: KeySchema): KeyRange {
  checkCondition(parsed, scope);
  const { partitionKey, sortKey } = schema;
  let partition: Value | undefined;
  let place: KeyRange['place'] | undefined;
  for (const leaf of leaves(parsed.tree)) {
    const name = attributeOf(leaf, scope);
    const values = valuesOf(leaf, scope);
    if (name === partitionKey.name && partition === undefined) {
      if (leaf.kind !== 'compare' || leaf.comparator !== '=')
        throw validationError('Query key condition not supported');
      checkType(values, partitionKey.type);
      partition = values[0];
    } else if (sortKey && name === sortKey.name && place === undefined) {
      checkType(values, sortKey.type);
      place = placeOf(leaf, values);
    } else if (name === partitionKey.name || (sortKey && name === sortKey.name)) {
      throw invalid('KeyConditionExpression', 'KeyConditionExpressions must only contain one condition per key');
    } else {
      throw validationError(
        `Query condition missed key schema element: ${(partition === undefined ? partitionKey : (sortKey ?? partitionKey)).name}`,
      );
    }
  }
  if (partition === undefined) throw validationError(`Query condition missed key schema element: ${partitionKey.name}`);
  return { partition, place: place ?? (() => 'inside') };
}

function leaves(condition: Condition): Leaf[] {
  switch (condition.kind) {
    case 'and':
      return [...leaves(condition.left), ...leaves(condition.right)];
    case 'compare':
      if (condition.comparator !== '<>') return [condition];
      throw invalidOperator('<>');
    case 'between':
      return [condition];
    case 'call':
      if (condition.function === 'begins_with') return [condition];
      throw invalidOperator(condition.function);
    default:
      throw invalidOperator(condition.kind.toUpperCase());
  }
}

const invalidOperator = (operator: string) =>
  invalid('KeyConditionExpression', `Invalid operator used in KeyConditionExpression: ${operator}`);

function operandsOf(leaf: Leaf): Operand[] {
  if (leaf.kind === 'between') return [leaf.of, leaf.low, leaf.high];
  return leaf.kind === 'call' ? leaf.args : [leaf.left, leaf.right];
}

function attributeOf(leaf: Leaf, scope: Scope): string {
  const [operand] = operandsOf(leaf);
  if (operand?.kind !== 'path') {
    throw invalid(
      'KeyConditionExpression',
      'Invalid condition in KeyConditionExpression: the first operand must be a key attribute',
    );
  }
  if (operand.path.length > 1) {
    throw invalid('KeyConditionExpression', 'KeyConditionExpressions cannot have conditions on nested attributes');
  }
  return nameOf(operand.path[0] as string, scope);
}

function valuesOf(leaf: Leaf, scope: Scope): Value[] {
  return operandsOf(leaf)
    .slice(1)
    .map((operand) => {
      if (operand.kind !== 'value') {
        throw invalid(
          'KeyConditionExpression',
          'Invalid condition in KeyConditionExpression: a key can only be compared with a value',
        );
      }
      return scope.values[operand.name] as Value;
    });
}

function checkType(values: Value[], type: string): void {
  if (values.some((value) => typeOf(value) !== type)) {
    throw validationError(
      'One or more parameter values were invalid: Condition parameter type does not match schema type',
    );
  }
}

function placeOf(leaf: Leaf, values: Value[]): KeyRange['place'] {
  const [first, second] = values as [Value, Value];
  const against = (sort: Value, bound: Value) => compare(sort, bound) ?? 0;
  if (leaf.kind === 'between') {
    return (sort) => (against(sort, first) < 0 ? 'below' : against(sort, second) > 0 ? 'above' : 'inside');
  }
  if (leaf.kind === 'call') {
    return (sort) => (beginsWith(sort, first) ? 'inside' : against(sort, first) < 0 ? 'below' : 'above');
  }
  const { comparator } = leaf;
  return (sort) => {
    const order = against(sort, first);
    switch (comparator) {
      case '<':
        return order < 0 ? 'inside' : 'above';
      case '<=':
        return order <= 0 ? 'inside' : 'above';
      case '>':
        return order > 0 ? 'inside' : 'below';
      case '>=':
        return order >= 0 ? 'inside' : 'below';
      default:
        return order === 0 ? 'inside' : order < 0 ? 'below' : 'above';
    }
  };
}
