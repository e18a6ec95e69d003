// Projections: the parts of an item that some document paths name. Nesting is kept; of a list only the named elements
// remain, in order, without holes.

import type { Path } from './ast.ts';
import type { Parsed } from './parse.ts';
import { checkDistinct, type RealPath, realPath } from './paths.ts';
import type { Scope } from './scope.ts';
import { copyOut, type Item, isMap, member, setMember, type Value } from './values.ts';

/** A path tree; a leaf takes the whole value. */
interface Branch {
  children: Map<string | number, Branch>;
}

export type Projector = (item: Item) => Item;

export function projector(parsed: Parsed<Path[]>, scope: Scope): Projector {
  const paths = parsed.tree.map((path) => realPath(path, scope));
  checkDistinct(paths, 'ProjectionExpression');
  return projectorOf(paths);
}

/** The projected item is a copy that the caller may change. */
export function projectorOf(paths: readonly RealPath[]): Projector {
  const root: Branch = { children: new Map() };
  for (const path of paths) {
    let branch = root;
    for (const part of path) {
      let next = branch.children.get(part);
      if (!next) {
        next = { children: new Map() };
        branch.children.set(part, next);
      }
      branch = next;
    }
  }
  return (item) => (pick(item, root) ?? {}) as Item;
}

function pick(value: Value, branch: Branch): Value | undefined {
  if (branch.children.size === 0) return copyOut(value);
  if (Array.isArray(value)) return pickElements(value, branch);
  return isMap(value) ? pickMembers(value, branch) : undefined;
}

function pickElements(list: Value[], { children }: Branch): Value | undefined {
  const picked: Value[] = [];
  for (const index of [...children.keys()].filter((key) => typeof key === 'number').sort((a, b) => a - b)) {
    const element = list[index];
    const part = element === undefined ? undefined : pick(element, children.get(index) as Branch);
    if (part !== undefined) picked.push(part);
  }
  return picked.length > 0 ? picked : undefined;
}

function pickMembers(map: Item, { children }: Branch): Value | undefined {
  const picked: Item = {};
  for (const [name, branch] of children) {
    const value = typeof name === 'string' ? member(map, name) : undefined;
    const part = value === undefined ? undefined : pick(value, branch);
    if (part !== undefined) setMember(picked, name as string, part);
  }
  return Object.keys(picked).length > 0 ? picked : undefined;
}
