// A Lambda function: a pool of execution environments that grows up to its concurrency and shrinks when idle. An
// environment that crashed, timed out or was killed is replaced by a new process at the next invocation.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Caller } from '../gateway/gateway.ts';
import type { Identities } from '../iam/identities.ts';
import type { LocalMetrics } from '../metrics/metrics.ts';
import type { Named } from '../names.ts';
import { checkVariables, environmentOf, type FunctionIdentity } from './environment.ts';
import { type InvocationOutcome, type LambdaProcess, type ProcessFailure, startProcess } from './lambda-process.ts';
import type { FunctionLogs } from './logs.ts';
import type { FunctionError } from './protocol.ts';
import type { Semaphore } from './semaphore.ts';

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
  /** Invocations that are being worked on. */
  readonly busy: number;
  /**
   * Invocations that were cut off although nobody asked for it: their process ended (timeout, crash, out of memory), or they
   * ended so late that calls under way were aborted, whose answers nobody heard.
   */
  readonly unplannedEnds: number;
  readonly pids: number[];
  stop(): Promise<void>;
}

export interface FunctionSurroundings {
  identities: Identities;
  logs: FunctionLogs;
  metrics: Pick<LocalMetrics, 'add'>;
  endpoint(): string;
  /** Processes that load their code at the same time. */
  startGate: Semaphore;
  /** File that every process runs. */
  bootstrap: string;
  /** Processes of one function at most. */
  maxProcesses: number;
}

const IDLE_LIMIT_MS = 300_000;
/**
 * A consumer tells its reacts to abort 1.5 s before its end, with short timeouts 15 % before it (`ABORT_BEFORE_END_MS`,
 * `RESERVED_SHARE`). Measured from outside, an invocation is never shorter than measured from inside.
 */
const ABORTS_FROM = { beforeEndMs: 1_500, share: 0.85 };

const STOPPED: FunctionError = { errorType: 'Local.Stopped', errorMessage: 'the local system was stopped' };

/** A free environment for one invocation, or why there is none. */
type Turn = { process: LambdaProcess } | { failed: FunctionError };

export function createFunction(spec: FunctionSpec, surroundings: FunctionSurroundings): LambdaFunction {
  checkVariables(spec.name, spec.variables);
  const { identities, logs } = surroundings;
  const limit = spec.reservedConcurrency ?? surroundings.maxProcesses;
  const abortsFromMs = Math.max(spec.timeoutMs - ABORTS_FROM.beforeEndMs, spec.timeoutMs * ABORTS_FROM.share);
  const alive = new Set<LambdaProcess>();
  const idle: { process: LambdaProcess; timer: NodeJS.Timeout }[] = [];
  const waiting: ((turn: Turn) => void)[] = [];
  const killed = new WeakSet<LambdaProcess>();
  let starting = 0;
  let readyCount = 0;
  let unplannedEnds = 0;
  let stopped = false;

  const kill = (process: LambdaProcess): void => {
    killed.add(process);
    process.kill();
  };

  const start = (): LambdaProcess => {
    const caller: Caller = { functionName: spec.name, roleArn: spec.roleArn, pid: -1, kill: () => kill(process) };
    const credentials = identities.issue(caller);
    const process: LambdaProcess = startProcess({
      environment: environmentOf(spec, spec.variables, credentials, surroundings.endpoint()),
      codeFolder: spec.codeFolder,
      bootstrap: surroundings.bootstrap,
      memoryMb: spec.memoryMb,
      timeoutMs: spec.timeoutMs,
      log: (pid, text) => logs.write(spec.name, pid, text),
    });
    caller.pid = process.pid;
    alive.add(process);
    void process.exited.then(() => {
      alive.delete(process);
      const at = idle.findIndex((entry) => entry.process === process);
      if (at >= 0) clearTimeout(idle.splice(at, 1)[0]?.timer);
      identities.revoke(credentials.accessKeyId);
    });
    return process;
  };

  /** Starts environments for those who wait, up to the limit, a few at a time. */
  const grow = (): void => {
    while (waiting.length > starting && starting + readyCount < limit && !stopped) {
      starting += 1;
      void addOne().finally(grow);
    }
  };

  const addOne = async (): Promise<void> => {
    const leave = await surroundings.startGate.enter();
    try {
      // The system may have been stopped while it waited here: a process that starts now would outlive it.
      if (stopped) throw Object.assign(new Error('stopped'), { error: STOPPED });
      const process = start();
      await process.ready;
      readyCount += 1;
      starting -= 1;
      void process.exited.then(() => {
        readyCount -= 1;
        grow();
      });
      release(process);
    } catch (error) {
      starting -= 1;
      waiting.shift()?.({ failed: (error as ProcessFailure).error });
    } finally {
      leave();
    }
  };

  const release = (process: LambdaProcess): void => {
    if (!process.alive) return;
    const next = waiting.shift();
    if (next) {
      next({ process });
      return;
    }
    // A frozen environment keeps its place for a while, then AWS (and this) takes it down.
    const timer = setTimeout(() => process.kill(), IDLE_LIMIT_MS);
    timer.unref();
    idle.push({ process, timer });
  };

  const turn = async (): Promise<Turn> => {
    const entry = idle.pop();
    if (entry) {
      clearTimeout(entry.timer);
      return { process: entry.process };
    }
    return new Promise((resolve) => {
      waiting.push(resolve);
      grow();
    });
  };

  const counted = (name: 'Invocations' | 'Errors' | 'Throttles'): void =>
    surroundings.metrics.add({ namespace: 'AWS/Lambda', name, dimensions: { FunctionName: spec.name }, value: 1 });

  return {
    spec,
    async invoke(payload) {
      if (spec.notRunnable !== undefined) {
        return { kind: 'failed', error: { errorType: 'Local.NotRunnable', errorMessage: spec.notRunnable } };
      }
      const busy = readyCount - idle.length + starting;
      if (spec.reservedConcurrency !== undefined && busy >= limit) {
        counted('Throttles');
        return { kind: 'throttled' };
      }
      counted('Invocations');
      const mine = await turn();
      if ('failed' in mine) {
        counted('Errors');
        return { kind: 'failed', error: mine.failed };
      }
      const { process } = mine;
      const started = performance.now();
      const outcome = await process.invoke(payload);
      const durationMs = performance.now() - started;
      logs.write(spec.name, process.pid, `REPORT ${outcome.kind} in ${Math.round(durationMs)} ms`);
      const wasCutOff = !process.alive || durationMs >= abortsFromMs;
      if (wasCutOff && !killed.has(process) && !stopped) unplannedEnds += 1;
      if (outcome.kind !== 'done') counted('Errors');
      if (!process.alive) {
        if (outcome.kind === 'failed') logs.write(spec.name, process.pid, outcome.error.errorMessage);
      }
      release(process);
      return outcome;
    },
    get busy() {
      return readyCount - idle.length;
    },
    kill() {
      const count = alive.size;
      for (const process of alive) kill(process);
      return count;
    },
    get unplannedEnds() {
      return unplannedEnds;
    },
    get pids() {
      return [...alive].map((process) => process.pid);
    },
    async stop() {
      stopped = true;
      for (const process of alive) process.kill();
      const exits = [...alive].map((process) => process.exited);
      await Promise.race([Promise.all(exits), sleep(2_000, undefined, { ref: false })]);
    },
  };
}
