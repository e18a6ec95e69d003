// One Lambda execution environment: a child process that runs one invocation at a time. A timeout is a SIGKILL, a
// crash is a crash, and both end the environment; what it printed is in the logs.

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { transformSync } from 'esbuild';
import type { FromProcess, FunctionError, InvokeMessage } from './protocol.ts';

/** Loading a bundle takes under 2 s; on a machine under load up to this. */
const INIT_LIMIT_MS = 60_000;

export interface ProcessOptions {
  environment: Record<string, string>;
  codeFolder: string;
  /** The bootstrap as JavaScript, see `writeBootstrap`. */
  bootstrap: string;
  memoryMb: number;
  timeoutMs: number;
  log(pid: number, text: string): void;
}

export type InvocationOutcome = { kind: 'done'; payload: string } | { kind: 'failed'; error: FunctionError };

/** Why a process never became ready. */
export interface ProcessFailure extends Error {
  error: FunctionError;
}

export interface LambdaProcess {
  readonly pid: number;
  readonly alive: boolean;
  /** Its code is loaded. @throws ProcessFailure */
  ready: Promise<void>;
  /** One at a time, and only when ready. */
  invoke(payload: string): Promise<InvocationOutcome>;
  /** SIGKILL, at once. */
  kill(): void;
  exited: Promise<void>;
}

/** Writes the bootstrap without its types: a process then starts without loading the type stripper (60 ms each). */
export function writeBootstrap(folder: string): string {
  const source = readFileSync(join(import.meta.dirname, `bootstrap${extname(import.meta.filename)}`), 'utf8');
  const file = join(folder, 'bootstrap.mjs');
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, transformSync(source, { loader: 'ts', format: 'esm', target: 'node24' }).code);
  return file;
}

export function startProcess(options: ProcessOptions): LambdaProcess {
  // Lambda gives the heap what the runtime itself does not need: nine tenths of the memory size.
  const heapMb = Math.floor(options.memoryMb * 0.9);
  const child = spawn(process.execPath, [`--max-old-space-size=${heapMb}`, options.bootstrap], {
    cwd: options.codeFolder,
    env: options.environment,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const pid = child.pid ?? -1;
  let alive = true;
  // Killed, and not yet gone: whatever it still says does not count.
  let dying = false;
  const end = (): void => {
    dying = true;
    child.kill('SIGKILL');
  };
  let current: { requestId: string; settle: (outcome: InvocationOutcome) => void } | undefined;
  let fatal: FunctionError | undefined;
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => undefined);
  const initTimer = setTimeout(end, INIT_LIMIT_MS);

  for (const stream of [child.stdout, child.stderr]) {
    if (stream) createInterface({ input: stream }).on('line', (line) => options.log(pid, line));
  }
  child.on('message', (message: FromProcess) => {
    if (dying) return;
    if (message.kind === 'ready') {
      clearTimeout(initTimer);
      ready.resolve();
      return;
    }
    if (message.kind === 'init-failed' || (message.kind === 'failed' && message.requestId === undefined)) {
      fatal = message.error;
      end();
      return;
    }
    if (message.requestId !== current?.requestId) return;
    current?.settle(
      message.kind === 'done' ? { kind: 'done', payload: message.payload } : { kind: 'failed', error: message.error },
    );
  });
  const exited = new Promise<void>((resolve) => {
    const ended = (how: string): void => {
      if (!alive) return;
      alive = false;
      clearTimeout(initTimer);
      const error = fatal ?? { errorType: 'Runtime.ExitError', errorMessage: `Runtime exited with error: ${how}` };
      ready.reject(Object.assign(new Error(error.errorMessage), { error }));
      current?.settle({ kind: 'failed', error });
      resolve();
    };
    child.once('exit', (code, signal) => ended(signal === null ? `exit status ${code}` : `signal: ${signal}`));
    child.once('error', (error) => ended(error.message));
  });

  return {
    pid,
    ready: ready.promise,
    get alive() {
      return alive && !dying;
    },
    async invoke(payload) {
      const requestId = randomUUID();
      const { promise, resolve } = Promise.withResolvers<InvocationOutcome>();
      current = { requestId, settle: resolve };
      // As on AWS, a cold start does not count against the function's timeout.
      const timer = setTimeout(() => {
        const seconds = options.timeoutMs / 1_000;
        fatal = { errorType: 'Sandbox.Timedout', errorMessage: `Task timed out after ${seconds} seconds` };
        end();
      }, options.timeoutMs);
      const message: InvokeMessage = { requestId, payload, deadlineMs: Date.now() + options.timeoutMs };
      child.send(message, (error) => {
        if (error) resolve({ kind: 'failed', error: { errorType: 'Runtime.ExitError', errorMessage: error.message } });
      });
      const outcome = await promise;
      clearTimeout(timer);
      current = undefined;
      return outcome;
    },
    kill: end,
    exited,
  };
}
