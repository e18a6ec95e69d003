// Update expressions: SET, REMOVE, ADD and DELETE clauses, each at most once, in any order.

import type { SetValue, Update, UpdateOperand } from './ast.ts';
import { type Parsing, parsePath, parsePathOrValue, parseValueName } from './parse-path.ts';
import { SyntaxFault } from './tokenizer.ts';

const CLAUSES = ['SET', 'REMOVE', 'ADD', 'DELETE'] as const;
type Clause = (typeof CLAUSES)[number];

export function parseUpdate(parsing: Parsing): Update {
  const { tokens } = parsing;
  const update: Update = { set: [], remove: [], add: [], delete: [] };
  const seen = new Set<Clause>();
  let repeated: Clause | undefined;
  do {
    const clause = CLAUSES.find((keyword) => tokens.isKeyword(keyword));
    if (!clause) throw tokens.fault();
    if (seen.has(clause)) repeated ??= clause;
    seen.add(clause);
    tokens.take();
    do parseAction(parsing, clause, update);
    while (tokens.takeOperator(','));
  } while (tokens.peek().kind !== 'end');
  // Like the server, after every other fault in the text.
  parsing.last = repeated && `The "${repeated}" section can only be used once in an update expression;`;
  return update;
}

function parseAction(parsing: Parsing, clause: Clause, update: Update): void {
  const path = parsePath(parsing);
  switch (clause) {
    case 'SET':
      parsing.tokens.expectOperator('=');
      update.set.push({ path, value: parseSetValue(parsing) });
      return;
    case 'REMOVE':
      update.remove.push(path);
      return;
    case 'ADD':
      update.add.push({ path, value: parseValueName(parsing) });
      return;
    case 'DELETE':
      update.delete.push({ path, value: parseValueName(parsing) });
  }
}

function parseSetValue(parsing: Parsing): SetValue {
  const { tokens } = parsing;
  const grouped = tokens.takeOperator('(');
  const left = parseUpdateOperand(parsing);
  const sign = tokens.isOperator('+') ? '+' : tokens.isOperator('-') ? '-' : undefined;
  let value: SetValue = left;
  if (sign) {
    tokens.take();
    value = { kind: sign, left, right: parseUpdateOperand(parsing) };
  }
  if (grouped) tokens.expectOperator(')');
  return value;
}

function parseUpdateOperand(parsing: Parsing): UpdateOperand {
  const { tokens } = parsing;
  if (tokens.peek().kind !== 'word' || !tokens.isOperator('(', 1)) return parsePathOrValue(parsing);
  const { text } = tokens.take();
  tokens.expectOperator('(');
  const operand = parseFunction(parsing, text);
  tokens.expectOperator(')');
  return operand;
}

/** Both take two operands; the first of if_not_exists must be a path. */
function parseFunction(parsing: Parsing, name: string): UpdateOperand {
  const { tokens } = parsing;
  if (name !== 'if_not_exists' && name !== 'list_append') throw wrongFunction(name);
  const args = [parseUpdateOperand(parsing)];
  while (tokens.takeOperator(',')) args.push(parseUpdateOperand(parsing));
  const [first, second] = args as [UpdateOperand, UpdateOperand];
  if (args.length !== 2) {
    throw new SyntaxFault(
      `Incorrect number of operands for operator or function; operator or function: ${name}, number of operands: ${args.length}`,
    );
  }
  if (name === 'list_append') return { kind: 'list_append', first, second };
  if (first.kind === 'path') return { kind: 'if_not_exists', path: first.path, otherwise: second };
  throw new SyntaxFault('Operator or function requires a document path; operator or function: if_not_exists');
}

const ELSEWHERE: ReadonlySet<string> = new Set([
  'size',
  'attribute_exists',
  'attribute_not_exists',
  'attribute_type',
  'begins_with',
  'contains',
]);

const wrongFunction = (name: string): SyntaxFault =>
  new SyntaxFault(
    ELSEWHERE.has(name)
      ? `The function is not allowed in an update expression; function: ${name}`
      : `Invalid function name; function: ${name}`,
  );
