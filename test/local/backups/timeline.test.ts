// The past of a table from its changes: any moment, and what differs between two.

import { describe, expect, it } from '@jest/globals';
import { type Change, differences, stateAt } from '../../../lib/local/backups/timeline.ts';

const at = (ms: number, id: string, value?: string): Change => ({
  at: ms,
  keys: { id: { S: id } },
  ...(value !== undefined && { image: { id: { S: id }, value: { S: value } } }),
});
const CHANGES = [at(10, 'a', '1'), at(20, 'b', '1'), at(30, 'a', '2'), at(40, 'b'), at(50, 'c', '1'), at(60, 'c')];
const values = (ms: number) => stateAt(CHANGES, ms).map(({ id, value }) => `${id?.S}${value?.S}`);

describe('the past of a table', () => {
  it.each([
    [9, []],
    [10, ['a1']],
    [29, ['a1', 'b1']],
    [30, ['b1', 'a2']],
    [40, ['a2']],
    [99, ['a2']],
  ])('at %d ms holds what was written until then, and nothing that was removed', (ms, expected) => {
    expect(values(ms)).toEqual(expected);
  });

  it('knows one item by its key, however the key is spelled', () => {
    const keys = { s: { S: 'x' }, n: { N: '1' } };
    const swapped = { n: { N: '1' }, s: { S: 'x' } };
    expect(
      stateAt(
        [
          { at: 1, keys, image: keys },
          { at: 2, keys: swapped },
        ],
        5,
      ),
    ).toEqual([]);
  });
});

describe('the difference between two moments', () => {
  const between = (from: number, to: number) =>
    differences(CHANGES, from, to).map(({ at, keys, before, after }) => [
      at,
      keys.id?.S,
      before?.value?.S,
      after?.value?.S,
    ]);

  it('has one entry per item, with what it was and what it is', () => {
    expect(between(20, 50)).toEqual([[30, 'a', '1', '2']]);
    expect(between(30, 50)).toEqual([
      [30, 'a', '1', '2'],
      [40, 'b', '1', undefined],
    ]);
  });

  it('includes its beginning and excludes its end, so that neighbours share nothing and miss nothing', () => {
    expect(between(0, 30)).toEqual([
      [10, 'a', undefined, '1'],
      [20, 'b', undefined, '1'],
    ]);
    expect(between(60, 61)).toEqual([[60, 'c', '1', undefined]]);
  });

  it('leaves out what came and went in between', () => {
    expect(between(50, 61)).toEqual([]);
  });
});
