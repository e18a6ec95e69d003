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
  do {
    const clause = CLAUSES.find((keyword) => tokens.isKeyword(keyword));
    if (!clause) throw tokens.fault();
    if (seen.has(clause)) {
      throw new SyntaxFault(`The "${clause}" section can only be used once in an update expression;`);
    }
    seen.add(clause);
    tokens.take();
    do parseAction(parsing, clause, update);
    while (tokens.takeOperator(','));
  } while (tokens.peek().kind !== 'end');
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

function parseFunction(parsing: Parsing, name: string): UpdateOperand {
  const { tokens } = parsing;
  if (name === 'if_not_exists') {
    const path = parsePath(parsing);
    tokens.expectOperator(',');
    return { kind: 'if_not_exists', path, otherwise: parseUpdateOperand(parsing) };
  }
  if (name === 'list_append') {
    const first = parseUpdateOperand(parsing);
    tokens.expectOperator(',');
    return { kind: 'list_append', first, second: parseUpdateOperand(parsing) };
  }
  throw new SyntaxFault(`Invalid function name; function: ${name}`);
}
