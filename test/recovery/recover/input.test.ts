import { describe, expect, it } from '@jest/globals';
import { checkRecoveryRequest } from '../../../lib/recovery/recover/input.ts';

const codeOf = (input: unknown): unknown => {
  try {
    checkRecoveryRequest(input);
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
  return 'accepted';
};

describe('the input of a recovery', () => {
  it.each([{}, undefined, null])('proposes and repairs nothing when it is %p', (input) => {
    expect(checkRecoveryRequest(input)).toMatchObject({ actions: ['propose'], dryRun: false, trigger: 'operator' });
  });

  it.each([
    ['an unknown action', { actions: ['explode'] }, 'INVALID_INPUT'],
    ['no action at all', { actions: [] }, 'INVALID_INPUT'],
    ['a field that does not exist', { action: 'fill-gaps' }, 'INVALID_INPUT'],
    ['a proposal and a repair at once', { actions: ['propose', 'fill-gaps'] }, 'CONTRADICTORY_INPUT'],
    ['a redrive of nothing in particular', { actions: ['redrive'] }, 'CONTRADICTORY_INPUT'],
    ['an empty selection', { actions: ['redrive'], selection: {} }, 'EMPTY_SELECTION'],
    ['an unknown field in the selection', { actions: ['redrive'], selection: { stream: 'a' } }, 'INVALID_INPUT'],
    ['a selection without a redrive', { actions: ['verify'], selection: { consumer: 'a' } }, 'CONTRADICTORY_INPUT'],
    [
      'a selection outside of the consumers that are recovered',
      { actions: ['redrive'], consumers: ['a'], selection: { consumer: 'b' } },
      'CONTRADICTORY_INPUT',
    ],
  ])('refuses %s', (_what, input, code) => {
    expect(codeOf(input)).toBe(code);
  });

  it('accepts a redrive of one of its consumers, with gaps filled first', () => {
    const input = { actions: ['fill-gaps', 'redrive'], consumers: ['a'], selection: { consumer: 'a' } };
    expect(checkRecoveryRequest(input)).toMatchObject(input);
  });
});
