import { describe, expect, it } from '@jest/globals';
import { checkVerifyRequest } from '../../../lambdas/verify-consistency/request.ts';

describe('a verify request', () => {
  it.each([
    [{ step: 'explode' }, 'step'],
    [{ step: 'batch', run: '../restore/plan', batch: 0 }, 'run'],
    [{ step: 'batch', run: 'r', batch: -1 }, 'batch'],
    [{ step: 'batch', run: 'r', batch: 1.5 }, 'batch'],
    [{ step: 'batch', run: 'r' }, 'batch'],
    [{ step: 'add-up' }, 'run'],
    [{ step: 'split', listed: 1_001 }, 'listed'],
  ])('%j is refused, and names what is wrong', (request, field) => {
    expect(() => checkVerifyRequest(request)).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT', what: `verify request: ${field}` }),
    );
  });

  it.each([{ step: 'split', streamIds: ['order-1'] }, { step: 'add-up', run: 'r', quiet: true }, { run: 'r' }])(
    '%j is refused: a step has fields of its own',
    (request) => {
      expect(() => checkVerifyRequest(request)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }));
    },
  );

  it('is everything at once when nothing is asked for, and keeps the fields of a step', () => {
    expect([checkVerifyRequest(undefined), checkVerifyRequest({})]).toEqual([{ quiet: false }, { quiet: false }]);
    expect(checkVerifyRequest({ step: 'batch', run: 'a-1', batch: 7 })).toEqual({
      step: 'batch',
      run: 'a-1',
      batch: 7,
    });
  });
});
