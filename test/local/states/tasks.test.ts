// Tasks that wait: the function gets a token of its own, and the state ends with whatever is sent for it.

import { describe, expect, it } from '@jest/globals';
import type { Functions } from '../../../lib/local/functions/functions.ts';
import type { Definition } from '../../../lib/local/states/definition.ts';
import { createTaskTokens, machineOfToken, TOKEN_PLACE } from '../../../lib/local/states/task-tokens.ts';
import { taskHandlers } from '../../../lib/local/states/tasks.ts';

const MACHINE = 'arn:aws:states:us-east-1:000000000000:stateMachine:recovery';
const definition: Definition = {
  StartAt: 'Ask',
  States: { Ask: { Type: 'Task', Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken', TimeoutSeconds: 60 } },
};

function asking(fails = false) {
  const tokens = createTaskTokens();
  const given: string[] = [];
  const functions = {
    get: () => ({
      invoke: async (payload: string) => {
        given.push((JSON.parse(payload) as { token: string }).token);
        if (fails) return { kind: 'failed', error: { errorType: 'Broken', errorMessage: 'x' } };
        return { kind: 'done', payload: '{"ignored":true}' };
      },
    }),
  } as unknown as Functions;
  const handlers = taskHandlers(definition, { functions, tokens, machineArn: MACHINE });
  const ask = () => handlers.Ask?.({ FunctionName: 'f', Payload: { token: TOKEN_PLACE } }) as Promise<unknown>;
  /** The token that the function was given in its n-th invocation. */
  const token = async (index: number): Promise<string> => {
    while (given[index] === undefined) await new Promise(setImmediate);
    return given[index];
  };
  return { tokens, ask, token };
}

describe('a task that waits for a token', () => {
  it('ends with the output that is sent for its own token, once', async () => {
    const { tokens, ask, token } = asking();
    const [first, second] = [ask(), ask()];
    expect(tokens.succeed(await token(1), { approvedBy: 'anna' })).toBe(true);
    expect(await second).toEqual({ approvedBy: 'anna' });
    expect(tokens.succeed(await token(1), {})).toBe(false);
    expect(tokens.fail(await token(0), 'ApprovalRefused', 'not today')).toBe(true);
    await expect(first).rejects.toMatchObject({ name: 'ApprovalRefused', message: 'not today' });
  });

  it('fails at once when its function fails', async () => {
    await expect(asking(true).ask()).rejects.toMatchObject({ name: 'Broken' });
  });

  it('has a token that names its state machine, for permissions', async () => {
    const { ask, token } = asking();
    void ask();
    expect(machineOfToken(await token(0))).toBe(MACHINE);
    expect(machineOfToken('nonsense')).toBeUndefined();
  });
});
