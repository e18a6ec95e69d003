// What a consumer may declare, and how each mistake is named.

import { describe, expect, it } from '@jest/globals';
import { checkDeclaration, declareEventTypes } from '../../../lib/flow/consumer/declaration.ts';
import type { ConsumerDeclaration } from '../../../lib/model/consumer.ts';
import { InvalidInputError } from '../../../lib/model/errors.ts';

const valid: ConsumerDeclaration = { name: 'order-mailer', eventTypes: ['OrderPlaced'], effects: 'idempotent' };

function refusalOf(change: Record<string, unknown>, known?: ReturnType<typeof declareEventTypes>): InvalidInputError {
  try {
    checkDeclaration({ ...valid, ...change } as ConsumerDeclaration, known);
  } catch (error) {
    if (error instanceof InvalidInputError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('a declaration', () => {
  it('is completed with the defaults', () => {
    expect(checkDeclaration(valid)).toEqual({
      name: 'order-mailer',
      eventTypes: ['OrderPlaced'],
      effects: 'idempotent',
      onPoison: 'park',
      startFrom: 'beginning',
      maxAttempts: 3,
      groupCommits: false,
      drill: false,
      verifiesEffects: false,
    });
  });

  it('names a type once', () => {
    expect(checkDeclaration({ ...valid, eventTypes: ['A', 'B', 'A'] }).eventTypes).toEqual(['A', 'B']);
  });

  it.each<[string, Record<string, unknown>]>([
    ['INVALID_CONSUMER_NAME', { name: 'Order Mailer' }],
    ['INVALID_CONSUMER_NAME', { name: '' }],
    ['INVALID_CONSUMER_NAME', { name: undefined }],
    ['INVALID_CONSUMER_NAME', { name: 'a'.repeat(49) }],
    ['NO_EVENT_TYPES', { eventTypes: [] }],
    ['NO_EVENT_TYPES', { eventTypes: undefined }],
    ['NO_EVENT_TYPES', { eventTypes: 'OrderPlaced' }],
    ['TOO_MANY_EVENT_TYPES', { eventTypes: Array.from({ length: 101 }, (_, i) => `T${i}`) }],
    ['INVALID_EVENT_TYPE', { eventTypes: ['$StreamMoved'] }],
    ['INVALID_EVENT_TYPE', { eventTypes: ['OrderPlaced', 7] }],
    ['INVALID_EVENT_TYPE', { eventTypes: ['__proto__'] }],
    ['INVALID_EFFECTS', { effects: 'exactly-once' }],
    ['INVALID_EFFECTS', { effects: undefined }],
    ['INVALID_ON_POISON', { onPoison: 'ignore' }],
    ['INVALID_START_FROM', { startFrom: 'yesterday' }],
    ['INVALID_MAX_ATTEMPTS', { maxAttempts: 0 }],
    ['INVALID_MAX_ATTEMPTS', { maxAttempts: 11 }],
    ['INVALID_MAX_ATTEMPTS', { maxAttempts: 2.5 }],
    ['INVALID_MAX_ATTEMPTS', { maxAttempts: Number.NaN }],
    ['INVALID_MAX_ATTEMPTS', { maxAttempts: '3' }],
    ['INVALID_GROUP_COMMITS', { groupCommits: true }],
    ['INVALID_GROUP_COMMITS', { groupCommits: 'yes' }],
    ['INVALID_DRILL', { drill: 1 }],
    ['INVALID_VERIFIES_EFFECTS', { verifiesEffects: 'yes' }],
  ])('is refused with %s: %j', (code, change) => {
    const error = refusalOf(change);
    expect(error).toMatchObject({ code, retryable: false });
    expect([error.what, error.allowed, error.remedy].every((words) => words.length > 0)).toBe(true);
    expect(error).toHaveProperty('got');
  });

  it('that is not an object is refused with a name to look for', () => {
    expect(() => checkDeclaration(undefined as unknown as ConsumerDeclaration)).toThrow(InvalidInputError);
  });

  it('accepts the limits themselves', () => {
    const eventTypes = Array.from({ length: 100 }, (_, i) => `T${i}`);
    expect(checkDeclaration({ ...valid, eventTypes, maxAttempts: 10 })).toMatchObject({ maxAttempts: 10 });
    expect(checkDeclaration({ ...valid, effects: 'transactional', groupCommits: true, maxAttempts: 1 })).toMatchObject({
      groupCommits: true,
      maxAttempts: 1,
    });
  });
});

describe('declared event types', () => {
  const known = declareEventTypes(['OrderPlaced', 'OrderCancelled']);

  it('let a consumer ask for each of them', () => {
    expect(checkDeclaration({ ...valid, eventTypes: ['OrderCancelled'] }, known).eventTypes).toEqual([
      'OrderCancelled',
    ]);
  });

  it('refuse any other type, and say which there are', () => {
    const error = refusalOf({ eventTypes: ['OrderPlaced', 'OrderCanceled'] }, known);
    expect(error).toMatchObject({ code: 'UNKNOWN_EVENT_TYPE', got: 'OrderCanceled' });
    expect(error.allowed).toContain('OrderPlaced, OrderCancelled');
  });

  it('do not know the names that every object inherits', () => {
    expect(refusalOf({ eventTypes: ['toString'] }, known).code).toBe('UNKNOWN_EVENT_TYPE');
  });

  it('cannot be empty or changed afterwards', () => {
    expect(() => declareEventTypes([])).toThrow(InvalidInputError);
    expect(() => (known.types as string[]).push('Another')).toThrow(TypeError);
  });
});
