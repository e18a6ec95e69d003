// Every request of an operation that is not understood is answered with what was wrong, what was given and what is allowed.

import { describe, expect, it } from '@jest/globals';
import { checkRedriveRequest } from '../../../lib/recovery/redrive/request.ts';
import { checkReplayRequest } from '../../../lib/recovery/replay/request.ts';

const PLAN = { action: 'plan', mode: 'rewind', consumer: 'inventory', selection: {} };

describe('a request that is not understood names the field, what was given and what is allowed:', () => {
  const cases: [string, unknown, string][] = [
    ['no object', 5, 'replay request: got "5"; allowed: a JSON object'],
    ['no action', {}, 'replay request: action: got "undefined"; allowed: one of "plan", "start", "status"'],
    ['an action that does not exist', { action: 'go' }, 'action: got "\\"go\\""; allowed: one of "plan"'],
    ['a mode that does not exist', { ...PLAN, mode: 'back' }, 'allowed: one of "resume", "rewind", "redeliver"'],
    ['a rate that is too low', { ...PLAN, ratePerSecond: 0 }, 'ratePerSecond: got "0"; allowed: at least 0.1'],
    ['a rate that is too high', { ...PLAN, ratePerSecond: 2e6 }, 'allowed: at most 1000000'],
    ['text for a number', { ...PLAN, ratePerSecond: '10' }, 'allowed: a number'],
    ['no text', { ...PLAN, consumer: '' }, 'consumer: got "\\"\\""; allowed: at least 1 character'],
    ['half a position', { ...PLAN, selection: { fromPosition: 1.5 } }, 'allowed: a whole number'],
    ['no types', { ...PLAN, selection: { eventTypes: [] } }, 'allowed: at least 1 entry'],
    ['everything but not', { ...PLAN, selection: { everything: false } }, 'allowed: true'],
    ['a typing error', { ...PLAN, selecton: {} }, 'allowed: no field "selecton"'],
  ];

  it.each(cases)('%s', (_what, request, said) => {
    expect(() => checkReplayRequest(request)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }));
    expect(() => checkReplayRequest(request)).toThrow(said);
  });

  it('no request says only that it is invalid', () => {
    expect(() => checkRedriveRequest({ action: 'discard', selection: {} })).not.toThrow('Invalid input');
    expect(() => checkRedriveRequest({ action: 'discard', selection: {} })).toThrow(
      'reason: got "undefined"; allowed: text',
    );
  });
});
