// CloudFormation intrinsics, resolved against a scope that the deployment supplies. Pure: the same template value and
// the same scope give the same answer. A function that is not implemented is an error with its name, never passed on.

import { EventRecoveryError } from '../../model/errors.ts';

/** What a template value may refer to while its stack is being deployed. */
export interface Scope {
  /** `Ref` of a parameter, pseudo parameter or resource. `undefined`: there is none of that name. */
  ref(name: string): unknown;
  /** `Fn::GetAtt`. `undefined`: the resource has no such attribute. */
  attribute(logicalId: string, name: string): unknown;
  condition(name: string): boolean;
  mapping(name: string): Record<string, Record<string, unknown>> | undefined;
  /** Value of another stack's export. */
  imported(name: string): unknown;
  /** Output of another stack, for `Fn::GetStackOutput`. */
  stackOutput(stackName: string, outputName: string): unknown;
  /** Value of an SSM parameter, for `{{resolve:ssm:...}}`. */
  parameter(name: string): string | undefined;
}

/** `AWS::NoValue`: the property or list element that holds it disappears. */
export const NO_VALUE = Symbol('AWS::NoValue');

type Resolver = (argument: unknown, scope: Scope) => unknown;

const RESOLVERS: Record<string, Resolver> = {
  Ref: (name, scope) => known(scope.ref(String(name)), `Ref ${String(name)}`),
  'Fn::GetAtt': (argument, scope) => {
    const [logicalId, name] = attributePath(argument);
    const attribute = String(resolve(name, scope));
    return known(scope.attribute(logicalId, attribute), `Fn::GetAtt ${logicalId}.${attribute}`);
  },
  'Fn::Join': (argument, scope) => {
    const [separator, list] = argument as [string, unknown];
    return (resolve(list, scope) as unknown[]).map(String).join(separator);
  },
  'Fn::Sub': (argument, scope) => substitute(argument, scope),
  'Fn::Select': (argument, scope) => {
    const [index, list] = argument as [unknown, unknown];
    const values = resolve(list, scope) as unknown[];
    return known(values[Number(resolve(index, scope))], `Fn::Select ${String(index)} of ${values.length} values`);
  },
  'Fn::Split': (argument, scope) => {
    const [separator, text] = argument as [string, unknown];
    return String(resolve(text, scope)).split(separator);
  },
  'Fn::If': (argument, scope) => {
    const [name, then, otherwise] = argument as [string, unknown, unknown];
    return resolve(scope.condition(name) ? then : otherwise, scope);
  },
  'Fn::FindInMap': (argument, scope) => {
    const [name, top, second] = (argument as unknown[]).map((part) => String(resolve(part, scope)));
    const value = scope.mapping(name ?? '')?.[top ?? '']?.[second ?? ''];
    return known(value, `Fn::FindInMap ${name}.${top}.${second}`);
  },
  'Fn::ImportValue': (argument, scope) => {
    const name = String(resolve(argument, scope));
    return known(scope.imported(name), `Fn::ImportValue ${name}`);
  },
  'Fn::GetStackOutput': (argument, scope) => {
    const input = resolve(argument, scope) as { StackName: string; OutputName: string };
    const value = scope.stackOutput(stackNameOf(input.StackName), input.OutputName);
    return known(value, `Fn::GetStackOutput ${input.StackName}.${input.OutputName}`);
  },
  'Fn::Base64': (argument, scope) => Buffer.from(String(resolve(argument, scope))).toString('base64'),
  'Fn::Equals': (argument, scope) => {
    const [left, right] = (argument as unknown[]).map((part) => resolve(part, scope));
    return JSON.stringify(left) === JSON.stringify(right);
  },
  'Fn::Not': (argument, scope) => !(argument as unknown[]).map((part) => resolve(part, scope))[0],
  'Fn::And': (argument, scope) => (argument as unknown[]).every((part) => resolve(part, scope) === true),
  'Fn::Or': (argument, scope) => (argument as unknown[]).some((part) => resolve(part, scope) === true),
};

/**
 * A template value with every intrinsic replaced. Lists and objects are copied; `AWS::NoValue` is taken out of them.
 * @throws EventRecoveryError `LOCAL_UNSUPPORTED_INTRINSIC` for a function that is not implemented here,
 *   `LOCAL_UNRESOLVED_REFERENCE` for a name that nothing answers to.
 */
export function resolve(value: unknown, scope: Scope): unknown {
  if (typeof value === 'string') return dynamicReferences(value, scope);
  if (Array.isArray(value)) return value.map((element) => resolve(element, scope)).filter((part) => part !== NO_VALUE);
  if (typeof value !== 'object' || value === null) return value;
  const intrinsic = intrinsicOf(value);
  if (intrinsic) {
    const resolver = RESOLVERS[intrinsic.name];
    if (resolver) return resolver(intrinsic.argument, scope);
    if (intrinsic.name === 'Condition') return scope.condition(String(intrinsic.argument));
    throw unsupported(intrinsic.name);
  }
  const resolved: Record<string, unknown> = {};
  for (const [key, part] of Object.entries(value)) {
    const result = resolve(part, scope);
    if (result !== NO_VALUE) resolved[key] = result;
  }
  return resolved;
}

/** The intrinsic that an object stands for: exactly one key, `Ref` or `Fn::*` (or `Condition` inside conditions). */
export function intrinsicOf(value: object): { name: string; argument: unknown } | undefined {
  const keys = Object.keys(value);
  const name = keys[0];
  if (keys.length !== 1 || name === undefined) return undefined;
  const argument = (value as Record<string, unknown>)[name];
  if (name === 'Ref' || name.startsWith('Fn::')) return { name, argument };
  // {"Condition": "Name"} is a condition reference; {"Condition": {...}} belongs to a policy statement.
  if (name === 'Condition' && typeof argument === 'string') return { name, argument };
  return undefined;
}

/** `["Id", "Attribute"]` and `"Id.Attribute"` are the two spellings of `Fn::GetAtt`'s argument. */
export function attributePath(argument: unknown): [string, unknown] {
  if (Array.isArray(argument)) return [String(argument[0]), argument[1]];
  const text = String(argument);
  const dot = text.indexOf('.');
  return [text.slice(0, dot), text.slice(dot + 1)];
}

const PLACEHOLDER = /\$\{([^!}][^}]*)\}/g;

function substitute(argument: unknown, scope: Scope): string {
  const [text, variables] = (Array.isArray(argument) ? argument : [argument, {}]) as [string, Record<string, unknown>];
  const replaced = text.replaceAll(PLACEHOLDER, (_, name: string) => {
    const key = name.trim();
    if (Object.hasOwn(variables, key)) return String(resolve(variables[key], scope));
    if (!key.includes('.')) return String(known(scope.ref(key), `Fn::Sub \${${key}}`));
    const [logicalId, attribute] = attributePath(key);
    return String(known(scope.attribute(logicalId, String(attribute)), `Fn::Sub \${${key}}`));
  });
  return replaced.replaceAll('${!', '${');
}

/** Names that a `Fn::Sub` text refers to (the part before a dot). */
export function substitutedNames(argument: unknown): string[] {
  const [text, variables] = (Array.isArray(argument) ? argument : [argument, {}]) as [string, object];
  const names = [...text.matchAll(PLACEHOLDER)].map((found) => String(found[1]).trim());
  return names.filter((name) => !Object.hasOwn(variables, name)).map((name) => name.split('.')[0] ?? name);
}

const DYNAMIC_REFERENCE = /\{\{resolve:([a-z-]+):([^:}]+)(?::[^}]*)?\}\}/g;

function dynamicReferences(text: string, scope: Scope): string {
  if (!text.includes('{{resolve:')) return text;
  return text.replaceAll(DYNAMIC_REFERENCE, (whole, service: string, name: string) => {
    if (service !== 'ssm') throw unsupported(whole);
    return String(known(scope.parameter(name), whole));
  });
}

const stackNameOf = (nameOrArn: string): string =>
  nameOrArn.startsWith('arn:') ? (nameOrArn.split('/')[1] ?? nameOrArn) : nameOrArn;

function known(value: unknown, what: string): unknown {
  if (value !== undefined) return value;
  throw new EventRecoveryError(
    'LOCAL_UNRESOLVED_REFERENCE',
    `${what} has no value; remedy: deploy the stack that defines it first, or teach lib/local/deploy that attribute`,
    { facts: { what } },
  );
}

const unsupported = (name: string): EventRecoveryError =>
  new EventRecoveryError(
    'LOCAL_UNSUPPORTED_INTRINSIC',
    `the local system does not know ${name}; known: ${Object.keys(RESOLVERS).join(', ')}; remedy: add it to lib/local/template/intrinsics.ts`,
    { facts: { name } },
  );
