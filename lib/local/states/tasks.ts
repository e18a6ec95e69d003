// The tasks of a state machine: Lambda functions, invoked as Step Functions does, with its errors and its size limit.
// https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html

import type { Functions } from '../functions/functions.ts';
import { type Definition, kindOf, statesOf } from './definition.ts';
import { type TaskTokens, TOKEN_PLACE } from './task-tokens.ts';

/** https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html: 256 KiB of UTF-8 per input or output */
export const STATE_MAX_BYTES = 262_144;

// biome-ignore lint/suspicious/noExplicitAny: the interpreter's JSON type is not exported
export type TaskHandler = (input: any) => Promise<any>;

export interface TaskSurroundings {
  functions: Functions;
  tokens: TaskTokens;
  machineArn: string;
}

/** Handlers by state name, as the interpreter wants them. */
export function taskHandlers(
  definition: Definition,
  { functions, tokens, machineArn }: TaskSurroundings,
): Record<string, TaskHandler> {
  const handlers: Record<string, TaskHandler> = {};
  for (const state of statesOf(definition)) {
    if (state.Type !== 'Task') continue;
    if (kindOf(state.Resource) === 'lambda-function') {
      handlers[state.name] = (input) => invoke(functions, String(state.Resource), input);
    } else if (kindOf(state.Resource) === 'lambda-token') {
      const timeoutMs = state.TimeoutSeconds === undefined ? undefined : state.TimeoutSeconds * 1_000;
      handlers[state.name] = async (input: { FunctionName: string; Payload?: unknown }) => {
        const { token, answer } = tokens.open(machineArn, timeoutMs);
        const payload = JSON.stringify(input.Payload ?? {}).replaceAll(TOKEN_PLACE, token);
        // A token that is sent back before the function has answered counts as well; a function that fails, fails the task.
        answer.catch(() => undefined);
        await invoke(functions, input.FunctionName, JSON.parse(payload));
        return answer;
      };
    } else {
      handlers[state.name] = async (input: { FunctionName: string; Payload?: unknown }) => ({
        ExecutedVersion: '$LATEST',
        StatusCode: 200,
        Payload: await invoke(functions, input.FunctionName, input.Payload ?? {}),
      });
    }
  }
  return handlers;
}

async function invoke(functions: Functions, functionName: string, payload: unknown): Promise<unknown> {
  const outcome = await functions.get(functionName).invoke(limited(JSON.stringify(payload)));
  if (outcome.kind === 'done') return JSON.parse(limited(outcome.payload));
  if (outcome.kind === 'throttled') throw taskError('Lambda.TooManyRequestsException', 'Rate exceeded');
  // The error's name is what Retry and Catch match; the cause is the function's whole answer.
  throw taskError(outcome.error.errorType, JSON.stringify(outcome.error));
}

function limited(text: string): string {
  if (Buffer.byteLength(text) <= STATE_MAX_BYTES) return text;
  throw taskError(
    'States.DataLimitExceeded',
    `a state's data has ${Buffer.byteLength(text)} bytes, at most ${STATE_MAX_BYTES} are allowed`,
  );
}

const taskError = (name: string, cause: string): Error => Object.assign(new Error(cause), { name });
