// The pool of processes behind a function, where it does not need a process to be looked at.

import { describe, expect, it } from '@jest/globals';
import { createFunction, type FunctionSurroundings } from '../../../lib/local/functions/lambda-function.ts';
import { createSemaphore } from '../../../lib/local/functions/semaphore.ts';

describe('a function that is stopped', () => {
  it('starts no process for an invocation that was still waiting for its start', async () => {
    const startGate = createSemaphore(1);
    const leave = await startGate.enter();
    let issued = 0;
    const surroundings = {
      startGate,
      maxProcesses: 10,
      endpoint: () => 'http://127.0.0.1:1',
      bootstrap: '/nowhere.mjs',
      logs: { write: () => undefined },
      metrics: { add: () => undefined },
      identities: {
        issue: () => {
          issued += 1;
          throw new Error('a process would be started');
        },
      },
    } as unknown as FunctionSurroundings;
    const spec = { name: 'f', logicalId: 'F', variables: {}, timeoutMs: 3_000, roleArn: 'arn', arn: 'arn' };
    const lambda = createFunction(spec as never, surroundings);
    const outcome = lambda.invoke('{}');
    await lambda.stop();
    leave();
    expect(await outcome).toMatchObject({ kind: 'failed', error: { errorType: 'Local.Stopped' } });
    expect(issued).toBe(0);
  });
});
