import { describe, expect, it } from '@jest/globals';
import { checkDefinition, type Definition, statesOf } from '../../../lib/local/states/definition.ts';

const task = { Type: 'Task', Resource: 'arn:aws:states:::lambda:invoke', End: true };
const machine = (states: Definition['States'], more: Partial<Definition> = {}): Definition => ({
  StartAt: 'A',
  States: states,
  ...more,
});

describe('definitions of state machines', () => {
  it('finds states at any depth', () => {
    const definition = machine({
      A: { Type: 'Map', ItemProcessor: machine({ B: task }) },
      C: {
        Type: 'Parallel',
        Branches: [machine({ D: task }), machine({ E: { Type: 'Map', Iterator: machine({ F: task }) } })],
      },
    });
    expect(statesOf(definition).map((state) => state.name)).toEqual(['A', 'B', 'C', 'D', 'E', 'F']);
  });

  it.each<[string, Definition, string]>([
    ['JSONata', machine({ A: task }, { QueryLanguage: 'JSONata' }), 'QueryLanguage JSONata'],
    ['a JSONata state', machine({ A: { ...task, QueryLanguage: 'JSONata' } }), 'QueryLanguage JSONata'],
    ['Assign', machine({ A: { ...task, Assign: {} } }), 'Assign'],
    [
      'an item reader',
      machine({ A: { Type: 'Map', ItemReader: {}, ItemProcessor: machine({ B: task }) } }),
      'ItemReader',
    ],
    [
      'another integration',
      machine({ A: { ...task, Resource: 'arn:aws:states:::sqs:sendMessage' } }),
      'sqs:sendMessage',
    ],
    [
      'waiting for a token that a queue is given',
      machine({ A: { ...task, Resource: 'arn:aws:states:::sqs:sendMessage.waitForTaskToken' } }),
      'waitForTaskToken',
    ],
    [
      'two states of one name',
      machine({ A: { Type: 'Map', ItemProcessor: machine({ A: task }) } }),
      'two states of one name',
    ],
  ])('refuses %s, which the interpreter would ignore', (_, definition, what) => {
    expect(() => checkDefinition(definition, 'Recovery')).toThrow(
      expect.objectContaining({ code: 'LOCAL_UNSUPPORTED_STATE', message: expect.stringContaining(what) }),
    );
  });

  it('takes Lambda functions, by invoke and by ARN', () => {
    const direct = { Type: 'Task', Resource: 'arn:aws:lambda:us-east-1:0:function:f', End: true };
    expect(() =>
      checkDefinition(machine({ A: task, B: direct, C: { Type: 'Wait', Seconds: 1 } }), 'Recovery'),
    ).not.toThrow();
  });
});
