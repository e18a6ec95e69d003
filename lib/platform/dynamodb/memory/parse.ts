// One parse per expression text: code uses a few dozen constant expressions, and parsing is most of an operation's cost.

import type { Condition, Path, References, Update } from './ast.ts';
import { validationError } from './errors.ts';
import { parseCondition } from './parse-condition.ts';
import { type Parsing, parsePath } from './parse-path.ts';
import { parseUpdate } from './parse-update.ts';
import { SyntaxFault, Tokens } from './tokenizer.ts';

export type ExpressionKind =
  | 'ConditionExpression'
  | 'FilterExpression'
  | 'KeyConditionExpression'
  | 'UpdateExpression'
  | 'ProjectionExpression';

export interface Parsed<T> {
  kind: ExpressionKind;
  tree: T;
  references: References;
}

/** Developer Guide, "Constraints": the maximum length of an expression string is 4 KB. */
const EXPRESSION_LIMIT_BYTES = 4096;
/** Texts made at run time must not fill the memory. */
const CACHE_LIMIT = 5_000;

/** One map per kind: a text made of kind and expression would have to be hashed anew for every request. */
const caches: Readonly<Record<ExpressionKind, Map<string, Parsed<unknown>>>> = {
  ConditionExpression: new Map(),
  FilterExpression: new Map(),
  KeyConditionExpression: new Map(),
  UpdateExpression: new Map(),
  ProjectionExpression: new Map(),
};

function parsed<T>(kind: ExpressionKind, text: string, parse: (parsing: Parsing) => T): Parsed<T> {
  const cache = caches[kind];
  const known = cache.get(text);
  if (known) return known as Parsed<T>;
  const fresh = parseFresh(kind, text, parse);
  if (cache.size >= CACHE_LIMIT) cache.clear();
  cache.set(text, fresh);
  return fresh;
}

function parseFresh<T>(kind: ExpressionKind, text: string, parse: (parsing: Parsing) => T): Parsed<T> {
  if (text === '') throw invalid(kind, 'The expression can not be empty;');
  const bytes = Buffer.byteLength(text);
  if (bytes > EXPRESSION_LIMIT_BYTES) {
    throw invalid(kind, `Expression size has exceeded the maximum allowed size; expression size: ${bytes}`);
  }
  try {
    const parsing: Parsing = {
      tokens: new Tokens(text),
      references: { names: new Set(), values: new Set(), roots: new Set() },
      reserved: [],
    };
    const tree = parse(parsing);
    if (parsing.redundant) throw new SyntaxFault('The expression has redundant parentheses;');
    const [reserved] = parsing.reserved;
    if (reserved !== undefined) {
      throw new SyntaxFault(`Attribute name is a reserved keyword; reserved keyword: ${reserved}`);
    }
    if (parsing.last !== undefined) throw new SyntaxFault(parsing.last);
    return { kind, tree, references: parsing.references };
  } catch (error) {
    if (error instanceof SyntaxFault) throw invalid(kind, error.message);
    throw error;
  }
}

export const invalid = (kind: ExpressionKind, message: string) => validationError(`Invalid ${kind}: ${message}`);

export const parsedCondition = (
  kind: 'ConditionExpression' | 'FilterExpression' | 'KeyConditionExpression',
  text: string,
): Parsed<Condition> => parsed(kind, text, parseCondition);

export const parsedUpdate = (text: string): Parsed<Update> => parsed('UpdateExpression', text, parseUpdate);

export const parsedProjection = (text: string): Parsed<Path[]> =>
  parsed('ProjectionExpression', text, (parsing) => {
    const paths = [parsePath(parsing)];
    while (parsing.tokens.takeOperator(',')) paths.push(parsePath(parsing));
    parsing.tokens.expectEnd();
    return paths;
  });
