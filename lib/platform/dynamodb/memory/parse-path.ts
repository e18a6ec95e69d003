// Document paths: a name, then `.name` and `[index]` in any number. Remembers every alias and reserved word on the way.

import type { Operand, Path, References } from './ast.ts';
import { isReservedWord } from './reserved-words.ts';
import type { Tokens } from './tokenizer.ts';

/** Collects what an expression refers to while it is parsed. */
export interface Parsing {
  tokens: Tokens;
  references: References;
  /** Reserved words that were used as bare attribute names. Reported after syntax errors, as the server does. */
  reserved: string[];
  /** Positions after the opening and after the closing one of a condition's last pair of parentheses. */
  lastPair?: { open: number; close: number };
  /** A condition has two pairs of parentheses around the same thing. */
  redundant?: boolean;
  /** A fault to report when there is no other. */
  last?: string;
}

export function parsePath(parsing: Parsing): Path {
  const { tokens } = parsing;
  const root = parseName(parsing);
  parsing.references.roots.add(root);
  const path: (string | number)[] = [root];
  for (;;) {
    if (tokens.takeOperator('.')) {
      path.push(parseName(parsing));
    } else if (tokens.takeOperator('[')) {
      if (tokens.peek().kind !== 'number') throw tokens.fault();
      path.push(Number(tokens.take().text));
      tokens.expectOperator(']');
    } else {
      return path;
    }
  }
}

function parseName({ tokens, references, reserved }: Parsing): string {
  const token = tokens.peek();
  if (token.kind !== 'word' && token.kind !== 'name') throw tokens.fault();
  tokens.take();
  if (token.kind === 'name') references.names.add(token.text);
  else if (isReservedWord(token.text)) reserved.push(token.text);
  return token.text;
}

export function parseValueName({ tokens, references }: Parsing): string {
  if (tokens.peek().kind !== 'value') throw tokens.fault();
  const { text } = tokens.take();
  references.values.add(text);
  return text;
}

export function parsePathOrValue(parsing: Parsing): Extract<Operand, { kind: 'path' | 'value' }> {
  return parsing.tokens.peek().kind === 'value'
    ? { kind: 'value', name: parseValueName(parsing) }
    : { kind: 'path', path: parsePath(parsing) };
}
