// What a refused write says, on the error classes of the SDK itself.

import { ConditionalCheckFailedException, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from '@jest/globals';
import { cancellation, isConditionFailed, refusedItem } from '../../../lib/platform/dynamodb/failures.ts';

const plain = { message: 'x', $metadata: {} };
const cancelled = (
  ...CancellationReasons: { Code?: string; Message?: string; Item?: Record<string, { S: string }> }[]
) => new TransactionCanceledException({ ...plain, CancellationReasons });

describe('a refused condition', () => {
  it('brings the item as plain values', () => {
    const error = new ConditionalCheckFailedException({
      ...plain,
      Item: { pk: { S: 'a' }, n: { N: '7' }, l: { L: [{ BOOL: true }] } },
    });
    expect(isConditionFailed(error)).toBe(true);
    expect(refusedItem(error)).toEqual({ pk: 'a', n: 7, l: [true] });
  });

  it('brings none when there is none', () => {
    expect(refusedItem(new ConditionalCheckFailedException(plain))).toBeUndefined();
    expect(refusedItem(undefined)).toBeUndefined();
    expect(isConditionFailed(new Error('x'))).toBe(false);
  });
});

describe('a cancelled transaction', () => {
  // API reference, TransactWriteItems, TransactionCanceledException: the codes; DuplicateItem belongs to PartiQL inserts.
  it.each([
    ['ConditionalCheckFailed', 'refused'],
    ['TransactionConflict', 'retryable'],
    ['ThrottlingError', 'retryable'],
    ['ProvisionedThroughputExceeded', 'retryable'],
    ['ItemCollectionSizeLimitExceeded', 'invalid'],
    ['ValidationError', 'invalid'],
    ['DuplicateItem', 'invalid'],
    ['AccessDenied', 'invalid'],
    ['SomethingNew', 'invalid'],
    ['constructor', 'invalid'],
  ])('by %s is %s', (Code, kind) => {
    expect(cancellation(cancelled({ Code: 'None' }, { Code, Message: 'why' }))).toEqual({
      kind,
      writes: [{ index: 1, code: Code, kind, message: 'why' }],
    });
  });

  it('is as final as its most final reason', () => {
    const kinds = (...codes: string[]) => cancellation(cancelled(...codes.map((Code) => ({ Code }))))?.kind;
    expect(kinds('TransactionConflict', 'ConditionalCheckFailed')).toBe('refused');
    expect(kinds('ConditionalCheckFailed', 'ValidationError', 'ThrottlingError')).toBe('invalid');
    expect(kinds('ThrottlingError', 'TransactionConflict')).toBe('retryable');
    expect(kinds()).toBe('invalid');
    expect(kinds('None')).toBe('invalid');
  });

  it('names the place and the item of every failed write', () => {
    const error = cancelled({}, { Code: 'ConditionalCheckFailed', Item: { pk: { S: 'a' } } }, { Code: 'None' });
    expect(cancellation(error)?.writes).toEqual([
      {
        index: 1,
        code: 'ConditionalCheckFailed',
        kind: 'refused',
        message: 'ConditionalCheckFailed',
        item: { pk: 'a' },
      },
    ]);
  });

  it.each([undefined, null, 'text', new Error('x'), new ConditionalCheckFailedException(plain)])(
    'is not %p',
    (error) => {
      expect(cancellation(error)).toBeUndefined();
    },
  );
});
