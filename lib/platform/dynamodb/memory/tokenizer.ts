// Splits an expression into tokens. Keywords are recognised by the parsers, because they are reserved words in any case.

export type TokenKind = 'word' | 'name' | 'value' | 'number' | 'operator' | 'unknown' | 'end';

export interface Token {
  kind: TokenKind;
  text: string;
  /** Offset in the expression. */
  at: number;
}

const TOKEN =
  /\s*(?:(?<word>[A-Za-z][A-Za-z0-9_]*)|(?<name>#[A-Za-z0-9_]+)|(?<value>:[A-Za-z0-9_]+)|(?<number>[0-9]+)|(?<operator><>|<=|>=|[=<>+\-(),.[\]])|(?<unknown>\S))/y;

/** A fault in the expression's text; its message is the server's, without "Invalid ...Expression: ". */
export class SyntaxFault extends Error {}

function tokenize(expression: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(expression); match; match = TOKEN.exec(expression)) {
    const groups = match.groups as Partial<Record<TokenKind, string>>;
    const kind = (Object.keys(groups) as TokenKind[]).find((key) => groups[key] !== undefined) as TokenKind;
    const text = groups[kind] as string;
    tokens.push({ kind, text, at: TOKEN.lastIndex - text.length });
  }
  tokens.push({ kind: 'end', text: '<EOF>', at: expression.length });
  return tokens;
}

/** A cursor over the tokens with the few questions that the parsers ask. */
export class Tokens {
  readonly #tokens: Token[];
  readonly #expression: string;
  #next = 0;

  constructor(expression: string) {
    this.#expression = expression;
    this.#tokens = tokenize(expression);
  }

  peek(ahead = 0): Token {
    return this.#tokens[Math.min(this.#next + ahead, this.#tokens.length - 1)] as Token;
  }

  /** Number of tokens taken. */
  get position(): number {
    return this.#next;
  }

  take(): Token {
    const token = this.peek();
    if (token.kind !== 'end') this.#next += 1;
    return token;
  }

  isOperator(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === 'operator' && token.text === text;
  }

  /** `keyword` in capitals. */
  isKeyword(keyword: string): boolean {
    const token = this.peek();
    return token.kind === 'word' && token.text.toUpperCase() === keyword;
  }

  takeOperator(text: string): boolean {
    if (!this.isOperator(text)) return false;
    this.take();
    return true;
  }

  takeKeyword(keyword: string): boolean {
    if (!this.isKeyword(keyword)) return false;
    this.take();
    return true;
  }

  expectOperator(text: string): void {
    if (!this.takeOperator(text)) throw this.fault();
  }

  expectKeyword(keyword: string): void {
    if (!this.takeKeyword(keyword)) throw this.fault();
  }

  expectEnd(): void {
    if (this.peek().kind !== 'end') throw this.fault();
  }

  /** Quotes the current token with its two neighbours, like the server. */
  fault(): SyntaxFault {
    const token = this.peek();
    const previous = this.#tokens[this.#next - 1];
    const following = this.#tokens[this.#next + 1];
    const from = previous?.at ?? (token.kind === 'end' ? 0 : token.at);
    const last = following && following.kind !== 'end' ? following : token;
    const to = last.kind === 'end' ? this.#expression.length : last.at + last.text.length;
    return new SyntaxFault(`Syntax error; token: "${token.text}", near: "${this.#expression.slice(from, to)}"`);
  }
}
