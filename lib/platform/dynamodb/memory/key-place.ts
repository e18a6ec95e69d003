// Where a sort key lies relative to the range that a key condition describes; binary searches find the range by it.

import type { Comparator } from './ast.ts';
import { beginsWith } from './condition.ts';
import { compare } from './order.ts';
import type { Value } from './values.ts';

export type Place = 'below' | 'inside' | 'above';

/** Key conditions compare values of one type only. */
const order = (a: Value, b: Value): number => compare(a, b) ?? 0;

export const placeBetween =
  (low: Value, high: Value) =>
  (sort: Value): Place =>
    order(sort, low) < 0 ? 'below' : order(sort, high) > 0 ? 'above' : 'inside';

/** Keys with a common prefix lie together, and smaller than all other keys that are greater than the prefix. */
export const placeByPrefix =
  (prefix: Value) =>
  (sort: Value): Place =>
    beginsWith(sort, prefix) ? 'inside' : order(sort, prefix) < 0 ? 'below' : 'above';

export function placeByComparator(comparator: Comparator, bound: Value): (sort: Value) => Place {
  switch (comparator) {
    case '<':
      return (sort) => (order(sort, bound) < 0 ? 'inside' : 'above');
    case '<=':
      return (sort) => (order(sort, bound) <= 0 ? 'inside' : 'above');
    case '>':
      return (sort) => (order(sort, bound) > 0 ? 'inside' : 'below');
    case '>=':
      return (sort) => (order(sort, bound) >= 0 ? 'inside' : 'below');
    default:
      return placeBetween(bound, bound);
  }
}
