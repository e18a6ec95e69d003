// Tasks that wait for a token: the state stands still until somebody sends the token back, or its time is over. A token names
// its state machine, which permissions ask for.
// https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html#connect-wait-token

import { randomUUID } from 'node:crypto';

/** In the context where AWS has the token of the task: each task gets its own in place of it. */
export const TOKEN_PLACE = 'local-task-token';

export interface TaskTokens {
  /** A new token; `answer` settles with what is sent for it, and never when nobody sends. */
  open(machineArn: string, timeoutMs?: number): { token: string; answer: Promise<unknown> };
  /** False: nobody waits for it, or no longer. */
  succeed(token: string, output: unknown): boolean;
  fail(token: string, error: string, cause: string): boolean;
}

interface Waiting {
  resolve(output: unknown): void;
  reject(error: Error): void;
}

export function createTaskTokens(): TaskTokens {
  const waiting = new Map<string, Waiting>();
  const settle = (token: string, how: (one: Waiting) => void): boolean => {
    const one = waiting.get(token);
    if (one !== undefined) how(one);
    return waiting.delete(token);
  };
  return {
    open(machineArn, timeoutMs) {
      const token = Buffer.from(JSON.stringify([machineArn, randomUUID()])).toString('base64url');
      const answer = new Promise<unknown>((resolve, reject) => waiting.set(token, { resolve, reject }));
      // The interpreter ends the state; the token must not outlive it.
      if (timeoutMs !== undefined) setTimeout(() => waiting.delete(token), timeoutMs).unref();
      return { token, answer };
    },
    succeed: (token, output) => settle(token, ({ resolve }) => resolve(output)),
    fail: (token, error, cause) =>
      settle(token, ({ reject }) => reject(Object.assign(new Error(cause), { name: error }))),
  };
}

/** The state machine of a token; undefined when it is none of ours. */
export function machineOfToken(token: string): string | undefined {
  try {
    const [machineArn] = JSON.parse(Buffer.from(token, 'base64url').toString()) as unknown[];
    return typeof machineArn === 'string' ? machineArn : undefined;
  } catch {
    return undefined;
  }
}
