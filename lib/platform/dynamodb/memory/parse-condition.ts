// Condition, filter and key-condition expressions share one grammar: NOT binds closer than AND, AND closer than OR.

import type { Comparator, Condition, ConditionFunction, Operand } from './ast.ts';
import { type Parsing, parsePathOrValue } from './parse-path.ts';
import { SyntaxFault } from './tokenizer.ts';

const COMPARATORS: ReadonlySet<string> = new Set(['=', '<>', '<', '<=', '>', '>=']);
const ARITY: Readonly<Record<ConditionFunction, number>> = {
  attribute_exists: 1,
  attribute_not_exists: 1,
  attribute_type: 2,
  begins_with: 2,
  contains: 2,
};

export function parseCondition(parsing: Parsing): Condition {
  const condition = parseOr(parsing);
  parsing.tokens.expectEnd();
  return condition;
}

function parseOr(parsing: Parsing): Condition {
  let left = parseAnd(parsing);
  while (parsing.tokens.takeKeyword('OR')) left = { kind: 'or', left, right: parseAnd(parsing) };
  return left;
}

function parseAnd(parsing: Parsing): Condition {
  let left = parseNot(parsing);
  while (parsing.tokens.takeKeyword('AND')) left = { kind: 'and', left, right: parseNot(parsing) };
  return left;
}

function parseNot(parsing: Parsing): Condition {
  if (parsing.tokens.takeKeyword('NOT')) return { kind: 'not', of: parseNot(parsing) };
  if (parsing.tokens.takeOperator('(')) {
    const open = parsing.tokens.position;
    const inner = parseOr(parsing);
    const { lastPair, tokens } = parsing;
    // "((a))": the inner pair spans all that the outer one holds; "((a) AND (b))" does not.
    if (lastPair && lastPair.open === open + 1 && lastPair.close === tokens.position) parsing.redundant = true;
    tokens.expectOperator(')');
    parsing.lastPair = { open, close: tokens.position };
    return inner;
  }
  return parseComparison(parsing);
}

function parseComparison(parsing: Parsing): Condition {
  const { tokens } = parsing;
  const called = calledFunction(parsing);
  if (called !== undefined && called !== 'size') return parseCall(parsing, called);
  const left = parseOperand(parsing);
  if (tokens.takeKeyword('BETWEEN')) {
    const low = parseOperand(parsing);
    tokens.expectKeyword('AND');
    return { kind: 'between', of: left, low, high: parseOperand(parsing) };
  }
  if (tokens.takeKeyword('IN')) return { kind: 'in', of: left, candidates: parseArguments(parsing) };
  const token = tokens.peek();
  if (token.kind !== 'operator' || !COMPARATORS.has(token.text)) throw tokens.fault();
  tokens.take();
  return { kind: 'compare', comparator: token.text as Comparator, left, right: parseOperand(parsing) };
}

const calledFunction = ({ tokens }: Parsing): string | undefined =>
  tokens.peek().kind === 'word' && tokens.isOperator('(', 1) ? tokens.peek().text : undefined;

function parseCall(parsing: Parsing, name: string): Condition {
  if (!Object.hasOwn(ARITY, name)) throw wrongFunction(name);
  parsing.tokens.take();
  const args = parseArguments(parsing);
  const called = name as ConditionFunction;
  if (args.length !== ARITY[called]) {
    throw new SyntaxFault(
      `Incorrect number of operands for operator or function; operator or function: ${name}, number of operands: ${args.length}`,
    );
  }
  return { kind: 'call', function: called, args };
}

const wrongFunction = (name: string): SyntaxFault =>
  new SyntaxFault(
    name === 'if_not_exists' || name === 'list_append'
      ? `The function is not allowed in a condition expression; function: ${name}`
      : `Invalid function name; function: ${name}`,
  );

function parseArguments(parsing: Parsing): Operand[] {
  const { tokens } = parsing;
  tokens.expectOperator('(');
  const args = [parseOperand(parsing)];
  while (tokens.takeOperator(',')) args.push(parseOperand(parsing));
  tokens.expectOperator(')');
  return args;
}

function parseOperand(parsing: Parsing): Operand {
  const called = calledFunction(parsing);
  if (called === undefined) return parsePathOrValue(parsing);
  if (called !== 'size') throw wrongFunction(called);
  parsing.tokens.take();
  const args = parseArguments(parsing);
  if (args.length !== 1) {
    throw new SyntaxFault(
      `Incorrect number of operands for operator or function; operator or function: size, number of operands: ${args.length}`,
    );
  }
  return { kind: 'size', of: args[0] as Operand };
}
