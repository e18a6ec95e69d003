// How an operation's function answers: bad input and refusals are an answer `{ error: { code, ... } }`, so that the stable
// code survives the way back to the console, the CLI and the state machine. What a retry may help against is thrown: Lambda
// and Step Functions retry it, and alarms count it.

import { isEventRecoveryError } from '../model/errors.ts';

export interface FailedAnswer {
  error: { code: string; message: string; retryable: boolean; facts: Record<string, unknown> };
}

/**
 * @example export const handler = lambdaPipeline(answeringErrors((input, context) => scan(input, context)), observability);
 */
export const answeringErrors =
  <Input, Context, Answer>(run: (input: Input, context: Context) => Promise<Answer>) =>
  async (input: Input, context: Context): Promise<Answer | FailedAnswer> => {
    try {
      return await run(input, context);
    } catch (error) {
      if (!isEventRecoveryError(error) || error.retryable) throw error;
      const { code, message, retryable, facts } = error;
      return { error: { code, message, retryable, facts: { ...facts } } };
    }
  };
