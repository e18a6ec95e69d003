// Fingerprints group failures by cause, and descriptions of errors are bounded whatever was thrown.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  describeError,
  MESSAGE_MAX_LENGTH,
  NAME_MAX_LENGTH,
  STACK_MAX_LENGTH,
} from '../../../lib/flow/dead-letter/describe-error.ts';
import { fingerprint, normalised, topOwnFrame } from '../../../lib/flow/dead-letter/fingerprint.ts';
import { deadLetterId, deadLetterKeyOf } from '../../../lib/flow/dead-letter/id.ts';
import { consumerName, streamId, type Version } from '../../../lib/model/ids.ts';

const stack = (...frames: string[]) => ['Error: x', ...frames.map((frame) => `    at ${frame}`)].join('\n');
const failure = (message: string, frames = ['react (file:///var/task/index.mjs:10:5)']) => ({
  name: 'OutOfStock',
  message,
  stack: stack(...frames),
});

describe('a fingerprint', () => {
  it.each([
    ['numbers', 'item 17: 0 left', 'item 4711: 12 left'],
    [
      'UUIDs',
      'order 0b9f2f6e-5a0f-4f1c-9a53-0c5d1f6b7a01 is unknown',
      'order 7d9f2f6e-5a0f-4f1c-9a53-0c5d1f6b7a99 is unknown',
    ],
    ['ids', 'customer cus_8fj3 has no address', 'customer cus_x9d has no address'],
    ['quoted parts', 'no handler for "Müller & Söhne"', 'no handler for "Meier"'],
    ['times', 'expired at 2026-01-01T00:00:00.000Z', 'expired at 2026-12-31T23:59:59.999Z'],
    ['spaces', 'too  many\n tries', 'too many tries'],
  ])('is the same when only %s differ', (_, one, other) => {
    expect(normalised(one)).toBe(normalised(other));
    expect(fingerprint('inventory', failure(one))).toBe(fingerprint('inventory', failure(other)));
  });

  it('differs between consumers, error names, messages and places', () => {
    const prints = [
      fingerprint('inventory', failure('no stock')),
      fingerprint('mailer', failure('no stock')),
      fingerprint('inventory', { ...failure('no stock'), name: 'TypeError' }),
      fingerprint('inventory', failure('no address')),
      fingerprint('inventory', failure('no stock', ['reserve (file:///var/task/index.mjs:10:5)'])),
    ];
    expect(new Set(prints).size).toBe(prints.length);
    for (const print of prints) expect(print).toMatch(/^[0-9a-f]{16}$/);
  });

  it('survives a new build: line numbers and folders do not count', () => {
    const [one, other] = ['/var/task/index.mjs:10:5', '/opt/app/index.mjs:99:1'];
    const of = (place: string) => fingerprint('inventory', failure('x', [`async react (file://${place})`]));
    expect(of(one)).toBe(of(other));
  });

  it('takes the first frame of the own code', () => {
    const frames = [
      'node:internal/process:1:1',
      'send (/app/node_modules/sdk/index.js:1:1)',
      'reserve (/app/stock.mjs:3:4)',
    ];
    expect(topOwnFrame(stack(...frames))).toBe('reserve@stock.mjs');
    expect(topOwnFrame(stack('/app/stock.mjs:3:4'))).toBe('@stock.mjs');
    expect(topOwnFrame(undefined)).toBe('');
  });
});

describe('the description of what was thrown', () => {
  it('keeps name, message and stack of an error', () => {
    expect(describeError(new TypeError('no'))).toMatchObject({
      name: 'TypeError',
      message: 'no',
      stack: expect.any(String),
    });
  });

  it.each([
    ['text', 'boom', '"boom"'],
    ['nothing', undefined, 'undefined'],
    ['an object', { code: 7 }, '{"code":7}'],
  ])('shows %s that is no error', (_, thrown, message) => {
    expect(describeError(thrown)).toEqual({ name: 'NotAnError', message });
  });

  it('is bounded and well-formed whatever was thrown', () => {
    const nasty = {
      get message(): string {
        throw new Error('no');
      },
      stack: '',
    };
    expect(describeError(nasty)).toEqual({ name: 'Unreadable', message: expect.any(String) });
    const thrown = fc.oneof(
      fc.anything(),
      fc.record({ name: fc.anything(), message: fc.anything(), stack: fc.anything() }),
    );
    fc.assert(
      fc.property(thrown, (value) => {
        const { name, message, stack: trace = '' } = describeError(value);
        expect(name.length).toBeLessThanOrEqual(NAME_MAX_LENGTH);
        expect(message.length).toBeLessThanOrEqual(MESSAGE_MAX_LENGTH);
        expect(trace.length).toBeLessThanOrEqual(STACK_MAX_LENGTH);
        expect(message.isWellFormed()).toBe(true);
      }),
    );
    const long = Object.assign(new Error(`${'😀'.repeat(2_000)}`), { stack: 's'.repeat(10_000) });
    expect(describeError(long).message).toHaveLength(MESSAGE_MAX_LENGTH);
    expect(describeError(long).message.isWellFormed()).toBe(true);
  });
});

describe('the id of a dead letter', () => {
  it('is taken apart again, also when the stream id looks like one', () => {
    const key = { consumer: consumerName('c-1'), generation: 2, version: 7 as Version, streamId: streamId('a#1#b') };
    expect(deadLetterId(key)).toBe('c-1#2#7#a#1#b');
    expect(deadLetterKeyOf(deadLetterId(key))).toEqual(key);
  });

  it.each(['', 'c#1#2', 'c#0#1#s', 'c#1#x#s', 'C#1#1#s', '#1#1#s'])('refuses "%s"', (id) => {
    expect(() => deadLetterKeyOf(id)).toThrow(expect.objectContaining({ code: 'INVALID_DEAD_LETTER_ID' }));
  });
});
