import { describe, expect, it } from '@jest/globals';
import { batchResult } from '../../../lib/local/mappings/partial-batch.ts';

const ids = new Set(['a', 'b', 'c']);
const failures = (...list: unknown[]): string => JSON.stringify({ batchItemFailures: list });

describe('a function answers with batch item failures', () => {
  it.each([
    ['null', 'null'],
    ['an empty object', '{}'],
    ['another object', '{"statusCode":200}'],
    ['a null list', '{"batchItemFailures":null}'],
    ['an empty list', failures()],
  ])('%s means that everything succeeded', (_, payload) => {
    expect(batchResult(payload, ids)).toEqual({ kind: 'succeeded' });
  });

  it.each([
    ['no JSON', '<html>'],
    ['a text', '"ok"'],
    ['a list', '[]'],
    ['failures that are no list', '{"batchItemFailures":"a"}'],
    ['an empty id', failures({ itemIdentifier: '' })],
    ['a null id', failures({ itemIdentifier: null })],
    ['another key', failures({ messageId: 'a' })],
    ['an unknown id beside a known one', failures({ itemIdentifier: 'a' }, { itemIdentifier: 'x' })],
    ['null in the list', failures(null)],
  ])('%s means that everything failed', (_, payload) => {
    expect(batchResult(payload, ids)).toMatchObject({ kind: 'failed' });
  });

  it('known ids mean that exactly these failed', () => {
    const payload = failures({ itemIdentifier: 'c' }, { itemIdentifier: 'a' }, { itemIdentifier: 'a' });
    expect(batchResult(payload, ids)).toEqual({ kind: 'partly-failed', ids: new Set(['c', 'a']) });
  });
});
