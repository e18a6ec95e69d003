// Random conditions and updates as text with their values, over a handful of attributes of every type, so that most of them
// meet something.

import fc from 'fast-check';

export const ATTRIBUTES = ['n', 's', 'flag', 'rows1', 'doc', 'tags', 'spare'] as const;
const PATHS = [...ATTRIBUTES, 'doc.x', 'doc.y.z', 'rows1[0]', 'rows1[1]', 'doc.rows1[0]', 's.x'] as const;

const number = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.integer({ min: -30, max: 30 }).map((tenths) => tenths / 10),
);
const text = fc.constantFrom('', 'a', 'ab', 'b', 'ä', '\u{1f600}');
const scalar = fc.oneof(number, text, fc.boolean(), fc.constant(null));
const tags = fc.subarray(['a', 'b', 'c'], { minLength: 1 }).map((members) => new Set(members));

export const attributeValue = fc.oneof(
  scalar,
  tags,
  fc.array(scalar, { maxLength: 3 }),
  fc.record(
    { x: scalar, y: fc.record({ z: scalar }), rows1: fc.array(scalar, { maxLength: 2 }) },
    { requiredKeys: [] },
  ),
);

/** Both keys of the index or none: between items with one of them, DynamoDB Local charges for an index that has neither. */
const ownerKeys = fc.option(fc.record({ holder: fc.constantFrom('h1', 'h2'), grade: fc.integer({ min: 1, max: 3 }) }), {
  nil: {},
});

/** Attributes that mostly have the type that their name suggests. */
export const attributes: fc.Arbitrary<Record<string, unknown>> = fc
  .tuple(
    fc.record(
      {
        n: number,
        s: text,
        flag: fc.boolean(),
        rows1: fc.array(scalar, { maxLength: 3 }),
        doc: fc.record({ x: scalar, y: fc.record({ z: number }), rows1: fc.array(number, { maxLength: 2 }) }),
        tags,
        spare: attributeValue,
        kind: fc.constantFrom('k1', 'k2'),
      },
      { requiredKeys: [] },
    ),
    ownerKeys,
  )
  .map(([own, owner]) => ({ ...own, ...owner }));

/** Text with `?` where a value belongs. */
export interface Fragment {
  text: string;
  values: readonly unknown[];
}

const fragment = (text: string, ...values: unknown[]): Fragment => ({ text, values });
const path = fc.constantFrom(...PATHS);

const atom: fc.Arbitrary<Fragment> = fc.oneof(
  path.map((p) => fragment(`attribute_exists(${p})`)),
  path.map((p) => fragment(`attribute_not_exists(${p})`)),
  fc.tuple(path, fc.constantFrom('=', '<>'), attributeValue).map(([p, c, v]) => fragment(`${p} ${c} ?`, v)),
  fc
    .tuple(path, fc.constantFrom('<', '<=', '>', '>='), fc.oneof(number, text))
    .map(([p, c, v]) => fragment(`${p} ${c} ?`, v)),
  fc.tuple(path, path, fc.constantFrom('=', '<>', '<', '>=')).map(([p, q, c]) => fragment(`${p} ${c} ${q}`)),
  fc.tuple(path, number, number).map(([p, a, b]) => fragment(`${p} BETWEEN ? AND ?`, Math.min(a, b), Math.max(a, b))),
  fc.tuple(path, scalar, scalar).map(([p, a, b]) => fragment(`${p} IN (?, ?)`, a, b)),
  fc.tuple(path, text).map(([p, v]) => fragment(`begins_with(${p}, ?)`, v)),
  fc.tuple(path, scalar).map(([p, v]) => fragment(`contains(${p}, ?)`, v)),
  fc
    .tuple(path, fc.constantFrom('S', 'N', 'L', 'M', 'SS', 'BOOL', 'NULL'))
    .map(([p, v]) => fragment(`attribute_type(${p}, ?)`, v)),
  fc.tuple(path, fc.constantFrom('=', '<', '>'), number).map(([p, c, v]) => fragment(`size(${p}) ${c} ?`, v)),
);

export const condition: fc.Arbitrary<Fragment> = fc.letrec<{ node: Fragment }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    atom,
    tie('node').map(({ text: inner, values }) => ({ text: `NOT ${wrapped(inner)}`, values })),
    fc.tuple(tie('node'), fc.constantFrom('AND', 'OR'), tie('node')).map(([left, word, right]) => ({
      text: `${wrapped(left.text)} ${word} ${wrapped(right.text)}`,
      values: [...left.values, ...right.values],
    })),
  ),
})).node;

/** Around what has logic inside; a second pair around one pair would be refused as redundant. */
const wrapped = (inner: string): string => (/ (AND|OR) |^NOT /.test(inner) ? `(${inner})` : inner);

const setAction: fc.Arbitrary<Fragment> = fc.oneof(
  fc.tuple(path, attributeValue).map(([p, v]) => fragment(`${p} = ?`, v)),
  fc.tuple(path, path).map(([p, q]) => fragment(`${p} = ${q}`)),
  fc
    .tuple(path, path, fc.constantFrom('+', '-'), number)
    .map(([p, q, sign, v]) => fragment(`${p} = ${q} ${sign} ?`, v)),
  fc.tuple(path, path, attributeValue).map(([p, q, v]) => fragment(`${p} = if_not_exists(${q}, ?)`, v)),
  fc.tuple(path, path, number, number).map(([p, q, v, w]) => fragment(`${p} = if_not_exists(${q}, ?) + ?`, v, w)),
  fc
    .tuple(path, path, fc.array(scalar, { maxLength: 2 }))
    .map(([p, q, v]) => fragment(`${p} = list_append(${q}, ?)`, v)),
);

const clause = (word: string, actions: readonly Fragment[]): Fragment[] =>
  actions.length === 0
    ? []
    : [{ text: `${word} ${actions.map((one) => one.text).join(', ')}`, values: actions.flatMap((one) => one.values) }];

export const updateExpression: fc.Arbitrary<Fragment> = fc
  .tuple(
    fc.array(setAction, { maxLength: 2 }),
    fc.array(
      path.map((p) => fragment(p)),
      { maxLength: 2 },
    ),
    fc.array(
      fc.tuple(path, fc.oneof(number, tags)).map(([p, v]) => fragment(`${p} ?`, v)),
      { maxLength: 1 },
    ),
    fc.array(
      fc.tuple(path, tags).map(([p, v]) => fragment(`${p} ?`, v)),
      { maxLength: 1 },
    ),
  )
  .map(([set, removed, added, deleted]) => {
    const clauses = [
      ...clause('SET', set),
      ...clause('REMOVE', removed),
      ...clause('ADD', added),
      ...clause('DELETE', deleted),
    ];
    return { text: clauses.map((one) => one.text).join(' '), values: clauses.flatMap((one) => one.values) };
  })
  .filter(({ text: rendered }) => rendered !== '');

/** Fragments as request parameters, with the values numbered through. */
export function rendered(parts: Readonly<Record<string, Fragment | undefined>>): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  const expressions: Record<string, string> = {};
  let next = 0;
  for (const [parameter, part] of Object.entries(parts)) {
    if (!part) continue;
    let used = 0;
    expressions[parameter] = part.text.replace(/\?/g, () => {
      const name = `:v${next}`;
      values[name] = part.values[used];
      used += 1;
      next += 1;
      return name;
    });
  }
  return { ...expressions, ...(next > 0 && { ExpressionAttributeValues: values }) };
}
