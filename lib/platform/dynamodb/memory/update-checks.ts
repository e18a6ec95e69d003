// What DynamoDB refuses in an update expression before it looks at the item: overlapping paths, key attributes, and
// values of a type that the clause cannot take.

import type { SetValue, Update, UpdateOperand } from './ast.ts';
import { schemaFault } from './errors.ts';
import { invalid, type Parsed } from './parse.ts';
import { checkDistinct, type RealPath, realPath } from './paths.ts';
import { nameOf, type Scope } from './scope.ts';
import { type TypeCode, typeOf, type Value } from './values.ts';

/** The update expression's messages spell types out, except for functions and arithmetic. */
const LONG_NAMES: Readonly<Record<TypeCode, string>> = {
  S: 'STRING',
  N: 'NUMBER',
  B: 'BINARY',
  BOOL: 'BOOLEAN',
  NULL: 'NULL',
  SS: 'STRING_SET',
  NS: 'NUMBER_SET',
  BS: 'BINARY_SET',
  L: 'LIST',
  M: 'MAP',
};
const SETS: readonly TypeCode[] = ['SS', 'NS', 'BS'];
const ADDABLE: readonly TypeCode[] = ['N', ...SETS];

/** Every touched path with its aliases resolved, clause by clause: SET, REMOVE, ADD, DELETE. */
interface Touched {
  /** What the aliases stood for, in the order of the expression's references. */
  names: readonly string[];
  keyNames: readonly string[];
  paths: readonly RealPath[];
}

/** An expression nearly always comes with the same aliases: then its paths need no second check. */
const lastTouched = new WeakMap<Update, Touched>();

/** Returns every touched path: those of SET, then REMOVE, ADD and DELETE. */
export function checkUpdate(parsed: Parsed<Update>, scope: Scope, keyNames: readonly string[]): readonly RealPath[] {
  const { tree: update } = parsed;
  for (const { value } of update.set) checkSetValue(value, scope);
  for (const { value } of update.add) checkClause('ADD', value, ADDABLE, scope);
  for (const { value } of update.delete) checkClause('DELETE', value, SETS, scope);
  const known = lastTouched.get(update);
  if (known && known.keyNames === keyNames && sameNames(known.names, parsed, scope)) return known.paths;
  const paths = checkedPaths(update, scope, keyNames);
  lastTouched.set(update, { names: [...parsed.references.names].map((name) => nameOf(name, scope)), keyNames, paths });
  return paths;
}

function sameNames(names: readonly string[], { references }: Parsed<Update>, scope: Scope): boolean {
  let i = 0;
  for (const name of references.names) {
    if (scope.names[name] !== names[i]) return false;
    i += 1;
  }
  return true;
}

function checkedPaths(update: Update, scope: Scope, keyNames: readonly string[]): RealPath[] {
  const touched = [
    ...update.set.map(({ path }) => path),
    ...update.remove,
    ...update.add.map(({ path }) => path),
    ...update.delete.map(({ path }) => path),
  ].map((path) => realPath(path, scope));
  checkDistinct(touched, 'UpdateExpression');
  for (const path of touched) {
    if (keyNames.includes(path[0] as string)) {
      throw schemaFault(
        `One or more parameter values were invalid: Cannot update attribute ${path[0]}. This attribute is part of the key`,
      );
    }
  }
  return touched;
}

function checkClause(clause: string, valueName: string, allowed: readonly TypeCode[], scope: Scope): void {
  const type = typeOf(scope.values[valueName] as Value);
  if (allowed.includes(type)) return;
  throw invalid(
    'UpdateExpression',
    `Incorrect operand type for operator or function; operator: ${clause}, operand type: ${LONG_NAMES[type]}, typeSet: ALLOWED_FOR_${clause}_OPERAND`,
  );
}

function checkSetValue(value: SetValue, scope: Scope): void {
  if (value.kind === '+' || value.kind === '-') {
    checkOperand(value.left, scope, value.kind);
    checkOperand(value.right, scope, value.kind);
  } else {
    checkOperand(value, scope, undefined);
  }
}

/** `user` is the operator that takes the operand. */
function checkOperand(operand: UpdateOperand, scope: Scope, user: '+' | '-' | 'list_append' | undefined): void {
  if (operand.kind === 'if_not_exists') {
    checkOperand(operand.otherwise, scope, user);
  } else if (operand.kind === 'list_append') {
    if (user === '+' || user === '-') throw incorrectOperand(user, 'L');
    checkOperand(operand.first, scope, 'list_append');
    checkOperand(operand.second, scope, 'list_append');
  } else if (operand.kind === 'value' && user !== undefined) {
    const type = typeOf(scope.values[operand.name] as Value);
    if (type !== (user === 'list_append' ? 'L' : 'N')) throw incorrectOperand(user, type);
  }
}

const incorrectOperand = (user: string, type: TypeCode) =>
  invalid(
    'UpdateExpression',
    `Incorrect operand type for operator or function; operator or function: ${user}, operand type: ${type}`,
  );
