// Environment variables: read once, checked, and named when something is wrong with them.

import { describe, expect, it } from '@jest/globals';
import { InvalidInputError } from '../../lib/model/errors.ts';
import { environmentOf } from '../../lib/platform/environment.ts';

function refusalOf(read: () => unknown): InvalidInputError {
  try {
    read();
  } catch (error) {
    if (error instanceof InvalidInputError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('the environment', () => {
  const environment = environmentOf({
    TABLE: 'Events',
    EMPTY: '',
    SECONDS: '900',
    ZERO: '0',
    FLAG: 'true',
    OFF: 'false',
  });

  it('gives what is set', () => {
    expect(environment.required('TABLE')).toBe('Events');
    expect(environment.optional('TABLE', 'other')).toBe('Events');
    expect(environment.integer('SECONDS', { min: 1, max: 900 })).toBe(900);
    expect(environment.integer('ZERO', { min: 0, max: 900, default: 5 })).toBe(0);
    expect(environment.boolean('FLAG', false)).toBe(true);
    expect(environment.boolean('OFF', true)).toBe(false);
  });

  it.each(['ABSENT', 'EMPTY'])('takes %s as absent', (name) => {
    expect(environment.optional(name)).toBeUndefined();
    expect(environment.optional(name, 'fallback')).toBe('fallback');
    expect(environment.integer(name, { min: 1, max: 9, default: 5 })).toBe(5);
    expect(environment.boolean(name, true)).toBe(true);
    for (const read of [() => environment.required(name), () => environment.integer(name, { min: 1, max: 9 })]) {
      const error = refusalOf(read);
      expect(error.code).toBe('MISSING_ENVIRONMENT');
      expect(error.what).toContain(name);
      expect(error.remedy).toContain(name);
    }
  });

  it.each(['1.5', '0x10', '1e2', 'many', ' 5', '901', '0', '-1', '99999999999999999999'])(
    'refuses %j where a number from 1 to 900 belongs',
    (value) => {
      const error = refusalOf(() => environmentOf({ SECONDS: value }).integer('SECONDS', { min: 1, max: 900 }));
      expect(error).toMatchObject({ code: 'INVALID_ENVIRONMENT', got: value, allowed: 'a whole number from 1 to 900' });
    },
  );

  it.each(['TRUE', '1', 'yes'])('refuses %j where true or false belongs', (value) => {
    expect(refusalOf(() => environmentOf({ FLAG: value }).boolean('FLAG', false)).code).toBe('INVALID_ENVIRONMENT');
  });
});
