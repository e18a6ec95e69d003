import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { findNotJson, type NotJson } from '../../../lib/flow/event-store/check-json.ts';

const limits = { maxDepth: 10, maxBytes: 10_000 };
const find = (value: unknown): NotJson | undefined => findNotJson(value, 'data', limits);

class Lines extends Array<number> {
  toJSON(): string {
    return this.join();
  }
}
class Money {
  amount = 5;
}

describe('finding what is not JSON', () => {
  it.each<[string, unknown]>([
    ['null', null],
    ['an empty string', ''],
    ['a lone surrogate', '\ud800'],
    ['numbers', [0, -1, 1.5e300, Number.MAX_SAFE_INTEGER]],
    ['empty containers', [{}, []]],
    ['an object without prototype', Object.create(null)],
    ['an object of another realm', runInNewContext('({ a: [1, { b: null }] })')],
    ['own members named like built-in ones', JSON.parse('{"__proto__":{"x":1},"constructor":1,"toString":null}')],
    ['the same object twice, which is no cycle', ((shared) => [shared, { shared }])({ a: 1 })],
    ['the deepest allowed nesting', nested(10)],
  ])('accepts %s', (_, value) => {
    expect(find(value)).toBeUndefined();
  });

  const cyclic: Record<string, unknown> = { a: { b: [] } };
  ((cyclic.a as { b: unknown[] }).b as unknown[]).push(1, cyclic);
  it.each<[string, unknown, string, RegExp]>([
    ['undefined', undefined, 'data', /undefined/],
    ['an undefined member', { a: { b: undefined } }, 'data.a.b', /undefined/],
    ['an undefined element', [1, undefined], 'data[1]', /undefined/],
    // biome-ignore lint/suspicious/noSparseArray: sparse arrays are what is tested
    ['a sparse array', { list: [1, , 3] }, 'data.list[1]', /hole/],
    ['a BigInt', { 'a b': 10n }, 'data["a b"]', /bigint/],
    ['NaN', [[Number.NaN]], 'data[0][0]', /NaN/],
    ['Infinity', { a: Number.NEGATIVE_INFINITY }, 'data.a', /-Infinity/],
    ['a function', { f() {} }, 'data.f', /function/],
    ['a symbol', { s: Symbol('x') }, 'data.s', /symbol/],
    ['a member with a symbol as its key', { a: { [Symbol('x')]: 1 } }, 'data.a', /Symbol\(x\)/],
    ['a Date', { at: new Date(0) }, 'data.at', /Date/],
    ['a Map', new Map(), 'data', /Map/],
    ['a Set', [new Set()], 'data[0]', /Set/],
    ['bytes', { b: new Uint8Array(2) }, 'data.b', /Uint8Array/],
    ['a boxed number', [Object(5)], 'data[0]', /Number/],
    ['a class instance', { price: new Money() }, 'data.price', /Money/],
    ['an array with a member', Object.assign([1], { extra: 2 }), 'data', /extra/],
    ['an Error', { e: new Error('x') }, 'data.e', /Error/],
    ['a RegExp', { r: /x/ }, 'data.r', /RegExp/],
    ['an object with another prototype', Object.create({ inherited: 1 }), 'data', /instance/],
    ['a cycle', cyclic, 'data.a.b[1]', /cycle/],
    ['a hidden toJSON', { a: Object.defineProperty({}, 'toJSON', { value: () => 1 }) }, 'data.a', /toJSON/],
    ['an array that is something else in JSON', [new Lines(1, 2)], 'data[0]', /toJSON/],
  ])('names the place and kind of %s', (_, value, path, what) => {
    expect(find(value)).toMatchObject({ kind: 'not-json', path, what: expect.stringMatching(what) });
  });

  it('stops at the depth and at the size that are allowed', () => {
    expect(find(nested(11))).toMatchObject({ kind: 'too-deep' });
    expect(find(nested(100_000))).toMatchObject({ kind: 'too-deep' });
    expect(find('x'.repeat(9_990))).toBeUndefined();
    expect(find('x'.repeat(10_000))).toMatchObject({ kind: 'too-large', path: 'data' });
    expect(find({ ['x'.repeat(10_000)]: 1 })).toMatchObject({ kind: 'too-large' });
  });

  it('ends with a value whose text would have 2^30 elements, because its parts are shared', () => {
    let value: unknown = 1;
    for (let level = 0; level < 30; level += 1) value = [value, value];
    expect(findNotJson(value, 'data', { maxDepth: 100, maxBytes: 100_000 })).toMatchObject({ kind: 'too-large' });
  });

  it('accepts every JSON value, and never underestimates what it refuses for size', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
        expect(findNotJson(value, 'data', { maxDepth: 10, maxBytes: 1_000_000 })).toBeUndefined();
        const bytes = Buffer.byteLength(JSON.stringify(value));
        // What has room for its text is never refused for its size.
        expect(findNotJson(value, 'data', { maxDepth: 10, maxBytes: bytes + 4 })).toBeUndefined();
      }),
      { numRuns: 1_000 },
    );
  });

  it('finds one bad value wherever it hides in good ones', () => {
    const bad = fc.constantFrom<unknown>(undefined, 1n, Number.NaN, () => 0, new Date(0), Symbol('s'), new Map());
    const hidden = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 6 },
        bad,
        fc.tuple(fc.jsonValue({ maxDepth: 1 }), tie('tree')),
        fc.record({ good: fc.jsonValue({ maxDepth: 1 }), next: tie('tree') }),
      ),
    }));
    fc.assert(
      fc.property(hidden.tree, (value) => {
        expect(find(value)).toBeDefined();
      }),
      { numRuns: 1_000 },
    );
  });
});

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = level % 2 === 0 ? [value] : { value };
  return value;
}
