// Changes at document paths, on a copy: containers on the way are cloned, everything else is shared with the old item.

import { validationError } from './errors.ts';
import type { RealPath } from './paths.ts';
import { type Item, isMap, member, setMember, type Value, type ValueMap } from './values.ts';

const invalidPath = () => validationError('The document path provided in the update expression is invalid for update');

export function setAt(item: Item, assignments: readonly [RealPath, Value][]): Item {
  const next: Item = { ...item };
  for (const [path, value] of ordered(assignments)) {
    const container = ownedContainer(next, path);
    const last = path.at(-1) as string | number;
    if (typeof last === 'number') {
      if (!Array.isArray(container)) throw invalidPath();
      // Past the end, DynamoDB appends.
      container[Math.min(last, container.length)] = value;
    } else {
      if (Array.isArray(container)) throw invalidPath();
      setMember(container, last, value);
    }
  }
  return next;
}

/** Indexes past the end of one list are appended in the order of their indexes, whatever the order of the clauses. */
function ordered(assignments: readonly [RealPath, Value][]): readonly [RealPath, Value][] {
  const hasIndex = assignments.some(([path]) => typeof path.at(-1) === 'number');
  return hasIndex && assignments.length > 1
    ? [...assignments].sort(([a], [b]) => lastIndex(a) - lastIndex(b))
    : assignments;
}

const lastIndex = (path: RealPath): number => {
  const last = path.at(-1);
  return typeof last === 'number' ? last : -1;
};

export function removeAt(item: Item, paths: readonly RealPath[]): Item {
  if (paths.length === 0) return item;
  const next: Item = { ...item };
  // Higher indexes first: an index counts in the list as it was.
  for (const path of [...paths].sort((a, b) => lastIndex(b) - lastIndex(a))) {
    const container = ownedContainer(next, path);
    const last = path.at(-1) as string | number;
    if (typeof last === 'number') {
      if (!Array.isArray(container)) throw invalidPath();
      if (last < container.length) container.splice(last, 1);
    } else {
      if (Array.isArray(container)) throw invalidPath();
      delete container[last];
    }
  }
  return next;
}

/** The container that holds the path's last part; it and everything above it are replaced by copies in `root`. */
function ownedContainer(root: Item, path: RealPath): ValueMap | Value[] {
  let container: ValueMap | Value[] = root;
  for (const part of path.slice(0, -1)) {
    const inner = childOf(container, part);
    if (inner === undefined) throw invalidPath();
    let copy: ValueMap | Value[];
    if (Array.isArray(inner)) copy = [...inner];
    else if (isMap(inner)) copy = { ...inner };
    else throw invalidPath();
    if (Array.isArray(container)) container[part as number] = copy;
    else setMember(container, part as string, copy);
    container = copy;
  }
  return container;
}

function childOf(container: ValueMap | Value[], part: string | number): Value | undefined {
  if (Array.isArray(container)) return typeof part === 'number' ? container[part] : undefined;
  return typeof part === 'string' ? member(container, part) : undefined;
}
