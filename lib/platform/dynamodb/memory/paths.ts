// Document paths with their aliases resolved, and the rule that two of them in one expression may not overlap.

import type { Path } from './ast.ts';
import { type ExpressionKind, invalid } from './parse.ts';
import { nameOf, type Scope } from './scope.ts';

/** Path parts without aliases. */
export type RealPath = readonly (string | number)[];

export const realPath = (path: Path, scope: Scope): RealPath =>
  path.map((part) => (typeof part === 'string' ? nameOf(part, scope) : part));

const shown = (path: RealPath): string =>
  `[${path.map((part) => (typeof part === 'number' ? `[${part}]` : part)).join(', ')}]`;

/** Overlap: one is the other or lies inside it. Conflict: one takes a value for a map, the other for a list. */
export function checkDistinct(paths: readonly RealPath[], kind: ExpressionKind): void {
  for (let i = 0; i < paths.length; i += 1) {
    for (let j = i + 1; j < paths.length; j += 1) checkPair(paths[i] as RealPath, paths[j] as RealPath, kind);
  }
}

function checkPair(one: RealPath, two: RealPath, kind: ExpressionKind): void {
  const length = Math.min(one.length, two.length);
  for (let i = 0; i < length; i += 1) {
    const [a, b] = [one[i], two[i]];
    if (a === b) continue;
    if (typeof a === typeof b) return;
    throw invalid(
      kind,
      `Two document paths conflict with each other; must remove or rewrite one of these paths; path one: ${shown(one)}, path two: ${shown(two)}`,
    );
  }
  throw invalid(
    kind,
    `Two document paths overlap with each other; must remove or rewrite one of these paths; path one: ${shown(one)}, path two: ${shown(two)}`,
  );
}
