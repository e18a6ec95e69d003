// Runs inside the child process of one Lambda execution environment: loads the handler once, then runs one invocation
// at a time as told over the IPC channel. It is the only code of ours in that process, holds nothing between
// invocations, and ends with its parent.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { FromProcess, InvokeMessage } from './protocol.ts';

type Handler = (event: unknown, context: object, callback: (error: unknown, result?: unknown) => void) => unknown;

const send = (message: FromProcess): void => void process.send?.(message);

// The parent is gone: so is the execution environment.
process.on('disconnect', () => process.exit(0));
// Lambda ends the environment on both; the invocation fails with Runtime.ExitError or the error itself.
process.on('uncaughtException', (error) => endWith('Runtime.UncaughtException', error));
process.on('unhandledRejection', (reason) => endWith('Runtime.UnhandledPromiseRejection', reason));

function endWith(errorType: string, error: unknown): void {
  console.error(errorType, error);
  if (!process.connected) process.exit(129);
  process.send?.({ kind: 'failed', error: described(error, errorType) } satisfies FromProcess, () => process.exit(129));
}

try {
  const handler = await loadHandler();
  process.on('message', (message: InvokeMessage) => void run(handler, message));
  send({ kind: 'ready' });
} catch (error) {
  console.error('Runtime.ImportModuleError', error);
  send({ kind: 'init-failed', error: described(error) });
}

async function loadHandler(): Promise<Handler> {
  const root = process.env.LAMBDA_TASK_ROOT ?? process.cwd();
  const [module = 'index', exported = 'handler'] = (process.env._HANDLER ?? 'index.handler').split(/\.(?=[^.]+$)/);
  const file = ['.mjs', '.js', '.cjs']
    .map((extension) => join(root, module + extension))
    .find((path) => existsSync(path));
  if (file === undefined) throw new Error(`Cannot find module '${module}' in ${root}`);
  const loaded = file.endsWith('.cjs') ? createRequire(file)(file) : await import(pathToFileURL(file).href);
  const handler = loaded[exported] ?? loaded.default?.[exported];
  if (typeof handler !== 'function') throw new Error(`${process.env._HANDLER} is undefined or not exported`);
  return handler;
}

async function run(handler: Handler, message: InvokeMessage): Promise<void> {
  const { requestId, deadlineMs } = message;
  try {
    const result = await answerOf(handler, JSON.parse(message.payload), contextOf(requestId, deadlineMs));
    send({ kind: 'done', requestId, payload: JSON.stringify(result) ?? 'null' });
  } catch (error) {
    console.error('Invoke Error', error);
    send({ kind: 'failed', requestId, error: described(error) });
  }
}

/** A handler answers by its promise, or by the callback when it takes one. */
function answerOf(handler: Handler, event: unknown, context: object): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const returned = handler(event, context, (error, result) => (error ? reject(error) : resolve(result)));
  if (handler.length < 3 || returned instanceof Promise) Promise.resolve(returned).then(resolve, reject);
  return promise;
}

function contextOf(requestId: string, deadlineMs: number): object {
  const name = process.env.AWS_LAMBDA_FUNCTION_NAME ?? '';
  return {
    awsRequestId: requestId,
    callbackWaitsForEmptyEventLoop: true,
    functionName: name,
    functionVersion: '$LATEST',
    invokedFunctionArn: process.env.LOCAL_FUNCTION_ARN ?? name,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE ?? '128',
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME ?? '',
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME ?? '',
    getRemainingTimeInMillis: () => Math.max(0, deadlineMs - Date.now()),
  };
}

function described(error: unknown, errorType?: string): { errorType: string; errorMessage: string; trace: string[] } {
  if (!(error instanceof Error))
    return { errorType: errorType ?? typeof error, errorMessage: String(error), trace: [] };
  return { errorType: errorType ?? error.name, errorMessage: error.message, trace: (error.stack ?? '').split('\n') };
}
