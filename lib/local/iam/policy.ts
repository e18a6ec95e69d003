// Evaluates IAM policy statements: explicit deny, else allow, else nothing. Pure. It knows the operators and keys that
// the templates use; anything else is an error with its name, because a condition that is skipped is a hole.

import { EventRecoveryError } from '../../model/errors.ts';

export interface Statement {
  Effect: 'Allow' | 'Deny';
  Action?: string | string[];
  NotAction?: string | string[];
  Resource?: string | string[];
  NotResource?: string | string[];
  Principal?: unknown;
  Condition?: Record<string, Record<string, unknown>>;
}

/** One permission that a request needs. */
export interface Need {
  /** For example `dynamodb:PutItem`. */
  action: string;
  /** ARN; `undefined` when the request names none: any resource of a matching statement will do. */
  resource?: string;
  /** Values of condition keys, lower-case names. Keys that a request lacks are absent. */
  context?: Readonly<Record<string, readonly string[]>>;
}

export type Decision = 'allow' | 'deny' | 'nothing';

export function evaluate(statements: readonly Statement[], need: Need): Decision {
  let decision: Decision = 'nothing';
  for (const statement of statements) {
    if (!actionMatches(statement, need.action) || !resourceMatches(statement, need.resource)) continue;
    if (!conditionsHold(statement.Condition ?? {}, need.context ?? {})) continue;
    if (statement.Effect === 'Deny') return 'deny';
    decision = 'allow';
  }
  return decision;
}

function actionMatches(statement: Statement, action: string): boolean {
  if (statement.NotAction !== undefined) return !anyMatches(statement.NotAction, action, 'ignore-case');
  return anyMatches(statement.Action ?? [], action, 'ignore-case');
}

function resourceMatches(statement: Statement, resource: string | undefined): boolean {
  if (resource === undefined) return statement.Effect === 'Allow';
  if (statement.NotResource !== undefined) return !anyMatches(statement.NotResource, resource, 'exact-case');
  return anyMatches(statement.Resource ?? [], resource, 'exact-case');
}

const anyMatches = (patterns: string | string[], text: string, mode: 'ignore-case' | 'exact-case'): boolean =>
  [patterns].flat().some((pattern) => wildcardMatches(pattern, text, mode));

const compiled = new Map<string, RegExp>();

/** `*` stands for any characters, `?` for one. */
export function wildcardMatches(
  pattern: string,
  text: string,
  mode: 'ignore-case' | 'exact-case' = 'exact-case',
): boolean {
  const key = `${mode}${pattern}`;
  let expression = compiled.get(key);
  if (!expression) {
    const escaped = pattern
      .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.');
    expression = new RegExp(`^${escaped}$`, mode === 'ignore-case' ? 'is' : 's');
    compiled.set(key, expression);
  }
  return expression.test(text);
}

type Compare = (actual: string, wanted: string) => boolean;

const COMPARISONS: Record<string, Compare> = {
  StringEquals: (actual, wanted) => actual === wanted,
  StringLike: (actual, wanted) => wildcardMatches(wanted, actual),
  ArnEquals: (actual, wanted) => wildcardMatches(wanted, actual),
  ArnLike: (actual, wanted) => wildcardMatches(wanted, actual),
  StringEqualsIgnoreCase: (actual, wanted) => actual.toLowerCase() === wanted.toLowerCase(),
  Bool: (actual, wanted) => actual.toLowerCase() === wanted.toLowerCase(),
};

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html */
function conditionsHold(
  condition: Record<string, Record<string, unknown>>,
  context: Need['context'] & object,
): boolean {
  return Object.entries(condition).every(([operator, keys]) =>
    Object.entries(keys).every(([key, wanted]) =>
      holds(operator, context[key.toLowerCase()], [wanted].flat().map(String)),
    ),
  );
}

function holds(operator: string, actual: readonly string[] | undefined, wanted: string[]): boolean {
  if (operator === 'Null') return (actual === undefined) === (wanted[0]?.toLowerCase() === 'true');
  const [, set, name = '', ifExists] = /^(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?$/.exec(operator) ?? [];
  const negated = /^(String|Arn)Not/.test(name);
  const compare = COMPARISONS[negated ? name.replace('Not', '') : name];
  if (!compare) throw unsupported(operator);
  if (actual === undefined || actual.length === 0) return ifExists !== undefined || set === 'ForAllValues' || negated;
  const one = (value: string): boolean => wanted.some((candidate) => compare(value, candidate)) !== negated;
  return set === 'ForAllValues' ? actual.every(one) : actual.some(one);
}

/** Checks every statement once, when it is deployed, so that an unknown operator is found at start. */
export function checkStatement(statement: Statement): void {
  for (const operator of Object.keys(statement.Condition ?? {})) holds(operator, ['x'], ['x']);
}

const unsupported = (operator: string): EventRecoveryError =>
  new EventRecoveryError(
    'LOCAL_UNSUPPORTED_CONDITION',
    `the local system does not know the policy condition operator ${operator}; remedy: add it to lib/local/iam/policy.ts`,
    { facts: { operator } },
  );
