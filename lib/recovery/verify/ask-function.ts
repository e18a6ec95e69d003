// Questions to consumers' functions over Lambda's Invoke. A function that ended with an error has not answered.

import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { EffectQuestions } from './effects.ts';

export const createEffectQuestions = ({ lambda }: { lambda: Pick<LambdaClient, 'send'> }): EffectQuestions => ({
  async ask(functionName, request) {
    const { Payload, FunctionError } = await lambda.send(
      new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(request) }),
    );
    const text = Payload === undefined ? '' : Buffer.from(Payload).toString('utf8');
    if (FunctionError !== undefined) throw new Error(`${functionName} ended with an error: ${text.slice(0, 300)}`);
    return JSON.parse(text) as unknown;
  },
});
