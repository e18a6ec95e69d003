// Values that break careless code: names that every object inherits, numbers beyond every bound, deep nesting, text that is
// no UTF-8, control characters, markup, and too much of everything.

import fc from 'fast-check';

export const HOSTILE_NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', ''] as const;

/** Text that acts when somebody prints it: terminal, log, HTML, Markdown, spreadsheet, shell, path. */
export const HOSTILE_TEXTS: readonly string[] = [
  '\u001b[2J\u001b[31mred\u001b]0;title\u0007',
  'line\r\n{"level":"INFO","message":"forged"}',
  '<script>alert(1)</script><img src=x onerror=alert(1)>',
  '[click](javascript:alert(1)) | `code` | **bold**',
  '=HYPERLINK("http://x")',
  '$(touch /tmp/hostile) ; rm -rf /',
  '../../../../etc/passwd',
  '\ud800 half a pair',
  Buffer.from([0xff, 0xfe, 0xc0, 0x80]).toString('latin1'),
  Buffer.from([0xff, 0xfe, 0xc0, 0x80]).toString('utf8'),
  '\u202eright-to-left',
  '\u0000',
  'x'.repeat(70_000),
];

const HOSTILE_NUMBERS = [-1, 0.5, 1e308, -1e308, Number.MAX_SAFE_INTEGER + 2, 5e-324, -0];

/** Deeper than recursion goes. */
const TOO_DEEP = 20_000;

/** Built without recursion: a parser that recurses must not be the one that survives by luck. */
export function nested(depth: number): unknown {
  let value: unknown = [];
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { n: value };
  return value;
}

/** As text. `JSON.stringify` recurses; a sender of text need not: what is too deep for it comes as bare brackets. */
export function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return `{"streamId":${'['.repeat(TOO_DEEP)}${']'.repeat(TOO_DEEP)}}`;
  }
}

/** An object with an own member `__proto__`, as JSON.parse makes it. */
export const withOwnProto = (): unknown =>
  JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}');

export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(...HOSTILE_TEXTS),
  fc.constantFrom<unknown>(...HOSTILE_NUMBERS),
  fc.constantFrom<unknown>(null, true, [], {}),
  fc.constantFrom<unknown>(...HOSTILE_NAMES),
  fc.constantFrom(500, TOO_DEEP).map(nested),
  fc.constant(null).map(withOwnProto),
  fc.constant(null).map(() => Array.from({ length: 2_000 }, (_, index) => index)),
  fc.jsonValue({ maxDepth: 4 }),
);

/** An object of fields that the reader knows, with values that it does not expect, and of some that it does not know. */
export const hostileObject = (fields: readonly string[]): fc.Arbitrary<unknown> =>
  fc
    .array(fc.tuple(fc.constantFrom(...fields, ...HOSTILE_NAMES, 'unknown'), hostileValue), {
      minLength: 1,
      maxLength: 6,
    })
    .map((entries) => {
      const object: Record<string, unknown> = {};
      for (const [name, value] of entries) {
        Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
      }
      return object;
    });

/** Nothing that an object inherits was changed. */
export function isUnpolluted(): boolean {
  const plain = {} as Record<string, unknown>;
  return plain.polluted === undefined && ([] as unknown as Record<string, unknown>).polluted === undefined;
}

const NUMBER_TEXTS = ['-1', '1e999', '9'.repeat(400), '0x10', 'NaN', '1.5', '٣', '-0', ''];

/** Words of a command line. No NUL: the operating system lets none pass. */
export const HOSTILE_ARGUMENTS: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...HOSTILE_TEXTS.filter((text) => !text.includes('\u0000'))),
  fc.constantFrom(...NUMBER_TEXTS, ...HOSTILE_NAMES),
  fc.constantFrom('{"__proto__":{"polluted":true}}', '[]', 'null', '2026-13-45', 'a'),
  fc.string({ unit: 'binary', maxLength: 40 }),
);

/** What acts on a terminal, but for line feeds and tabs: escape sequences, bells, carriage returns, changes of direction. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
export const ACTS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;
