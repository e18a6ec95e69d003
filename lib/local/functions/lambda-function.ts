// A Lambda function: a pool of execution environments that grows up to its concurrency and shrinks when idle. An
// environment that crashed, timed out or was killed is replaced by a new process at the next invocation.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Caller } from '../gateway/gateway.ts';
import type { Identities } from '../iam/identities.ts';
import type { Named } from '../names.ts';
import { checkVariables, environmentOf, type FunctionIdentity } from './environment.ts';
import { type InvocationOutcome, type LambdaProcess, startProcess } from './lambda-process.ts';
import type { FunctionLogs } from './logs.ts';

export interface FunctionSpec extends Named, FunctionIdentity {
  variables: Readonly<Record<string, string>>;
  timeoutMs: number;
  roleArn: string;
  /** Invocations above it are throttled. Absent: they wait for one of `maxProcesses`. */
  reservedConcurrency?: number;
  /** Why it cannot run here, for example another runtime; an invocation fails with it. */
  notRunnable?: string;
}

export interface LambdaFunction {
  readonly spec: FunctionSpec;
  /** `throttled`: reserved concurrency is used up. */
  invoke(payload: string): Promise<InvocationOutcome | { kind: 'throttled' }>;
  /** SIGKILL of every process. Returns how many there were. */
  kill(): number;
  readonly pids: number[];
  stop(): Promise<void>;
}

export interface FunctionSurroundings {
  identities: Identities;
  logs: FunctionLogs;
  endpoint(): string;
  /** File that every process runs. */
  bootstrap: string;
  /** Processes of one function at most. */
  maxProcesses: number;
}

const IDLE_LIMIT_MS = 300_000;

export function createFunction(spec: FunctionSpec, surroundings: FunctionSurroundings): LambdaFunction {
  checkVariables(spec.name, spec.variables);
  const { identities, logs } = surroundings;
  const limit = spec.reservedConcurrency ?? surroundings.maxProcesses;
  const all = new Set<LambdaProcess>();
  const idle: { process: LambdaProcess; timer: NodeJS.Timeout }[] = [];
  const waiting: ((process: LambdaProcess) => void)[] = [];
  let stopped = false;

  const start = (): LambdaProcess => {
    const caller: Caller = { functionName: spec.name, roleArn: spec.roleArn, pid: -1, kill: () => process.kill() };
    const credentials = identities.issue(caller);
    const process: LambdaProcess = startProcess({
      environment: environmentOf(spec, spec.variables, credentials, surroundings.endpoint()),
      codeFolder: spec.codeFolder,
      bootstrap: surroundings.bootstrap,
      memoryMb: spec.memoryMb,
      timeoutMs: spec.timeoutMs,
      log: (pid, text) => logs.write(spec.name, pid, text),
      onExit: (ended) => {
        all.delete(ended);
        const at = idle.findIndex((entry) => entry.process === ended);
        if (at >= 0) clearTimeout(idle.splice(at, 1)[0]?.timer);
        identities.revoke(credentials.accessKeyId);
        serveWaiting();
      },
    });
    caller.pid = process.pid;
    all.add(process);
    return process;
  };

  /** A free environment, a new one, or undefined when the limit is reached. */
  const free = (): LambdaProcess | undefined => {
    const entry = idle.pop();
    if (entry) {
      clearTimeout(entry.timer);
      return entry.process;
    }
    return all.size < limit ? start() : undefined;
  };

  const serveWaiting = (): void => {
    while (waiting.length > 0 && !stopped) {
      const process = free();
      if (!process) return;
      waiting.shift()?.(process);
    }
  };

  const release = (process: LambdaProcess): void => {
    if (!process.alive) return;
    const next = waiting.shift();
    if (next) {
      next(process);
      return;
    }
    // A frozen environment keeps its place for a while, then AWS (and this) takes it down.
    const timer = setTimeout(() => process.kill(), IDLE_LIMIT_MS);
    timer.unref();
    idle.push({ process, timer });
  };

  return {
    spec,
    async invoke(payload) {
      if (spec.notRunnable !== undefined) {
        return { kind: 'failed', error: { errorType: 'Local.NotRunnable', errorMessage: spec.notRunnable } };
      }
      const at = free();
      if (!at && spec.reservedConcurrency !== undefined) return { kind: 'throttled' };
      const process = at ?? (await new Promise<LambdaProcess>((resolve) => waiting.push(resolve)));
      const started = performance.now();
      const outcome = await process.invoke(payload);
      logs.write(spec.name, process.pid, `REPORT ${outcome.kind} in ${Math.round(performance.now() - started)} ms`);
      if (outcome.kind === 'failed' && !process.alive) logs.write(spec.name, process.pid, outcome.error.errorMessage);
      release(process);
      return outcome;
    },
    kill() {
      const count = all.size;
      for (const process of all) process.kill();
      return count;
    },
    get pids() {
      return [...all].map((process) => process.pid);
    },
    async stop() {
      stopped = true;
      for (const process of all) process.kill();
      await Promise.race([
        Promise.all([...all].map((process) => process.exited)),
        sleep(2_000, undefined, { ref: false }),
      ]);
    },
  };
}
