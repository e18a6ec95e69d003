// Defining a consumer: what the definition gives, what it refuses, and that importing it does nothing.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { declareEventTypes } from '../../../lib/flow/consumer/declaration.ts';
import { type ConsumerOptions, defineConsumer } from '../../../lib/flow/consumer/define-consumer.ts';
import type { InvalidInputError } from '../../../lib/model/errors.ts';

const options = {
  name: 'order-mailer',
  eventTypes: ['OrderPlaced'],
  effects: 'idempotent',
  react: () => undefined,
} as const satisfies ConsumerOptions;

function refusalOf(change: Record<string, unknown>): InvalidInputError {
  try {
    defineConsumer({ ...options, ...change } as ConsumerOptions);
  } catch (error) {
    return error as InvalidInputError;
  }
  throw new Error('it was accepted');
}

describe('a defined consumer', () => {
  it('gives its complete declaration, its react and a handler', () => {
    const consumer = defineConsumer(options);
    expect(consumer.declaration).toEqual({
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
    expect(consumer.react).toBe(options.react);
    expect(typeof consumer.handler).toBe('function');
  });

  it('has a declaration that holds plain data only, so that it can be deployed', () => {
    const { declaration } = defineConsumer({ ...options, knownEventTypes: declareEventTypes(['OrderPlaced']) });
    expect(JSON.parse(JSON.stringify(declaration))).toEqual(declaration);
    expect(() => Object.assign(declaration, { name: 'another' })).toThrow(TypeError);
  });

  it.each<[string, Record<string, unknown>]>([
    ['INVALID_CONSUMER_NAME', { name: 'Order Mailer' }],
    ['NO_EVENT_TYPES', { eventTypes: [] }],
    ['INVALID_MAX_ATTEMPTS', { maxAttempts: 0 }],
    ['INVALID_GROUP_COMMITS', { groupCommits: true }],
    ['INVALID_REACT', { react: undefined }],
    ['INVALID_REACT', { react: 'react' }],
    ['INVALID_VERIFY', { verify: async () => [] }],
    ['INVALID_VERIFY', { verifiesEffects: true }],
    ['INVALID_VERIFY', { verifiesEffects: true, verify: 'verify' }],
    ['INVALID_VERIFY', { verifyWhole: async () => [] }],
    ['INVALID_VERIFY', { verifiesEffects: true, verifyWhole: async () => [] }],
    ['INVALID_VERIFY', { verifiesEffects: true, verify: async () => [], verifyWhole: 7 }],
    ['UNKNOWN_EVENT_TYPE', { eventTypes: ['OrderPlace'], knownEventTypes: declareEventTypes(['OrderPlaced']) }],
  ])('is refused with %s: %j', (code, change) => {
    expect(refusalOf(change)).toMatchObject({ code, remedy: expect.any(String) });
  });

  it('is checked by the compiler where types are declared', () => {
    const knownEventTypes = declareEventTypes(['OrderPlaced', 'OrderCancelled']);
    const define = () =>
      defineConsumer({
        ...options,
        knownEventTypes,
        // @ts-expect-error: not a declared type
        eventTypes: ['OrderCanceled'],
      });
    expect(define).toThrow('OrderCanceled');
    expect(() => defineConsumer({ ...options, knownEventTypes, eventTypes: ['OrderCancelled'] })).not.toThrow();
  });
});

describe('importing a definition', () => {
  it('loads no SDK and no Powertools, and needs no environment', () => {
    const definition = join(import.meta.dirname, '../../../lib/flow/consumer/define-consumer.ts');
    const script = `
      import { registerHooks } from 'node:module';
      const loaded = [];
      registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });
      const { defineConsumer } = await import(${JSON.stringify(definition)});
      defineConsumer({ name: 'a', eventTypes: ['T'], effects: 'idempotent', react: () => undefined });
      console.log(JSON.stringify(loaded.filter((url) => url.includes('/node_modules/'))));
    `;
    const output = execFileSync(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script],
      {
        env: {},
        encoding: 'utf8',
        timeout: 30_000,
      },
    );
    expect(JSON.parse(output)).toEqual([]);
  });
});
