// A Lambda function as the platform runs it: execution environments that are made cold, reused warm and frozen between
// invocations; one invocation at a time each; killed when the time is up; replaced after a crash. A paused environment
// outlives its time-out: the platform gives up on it, but its code goes on later (a zombie).

import { createPrng } from '../kernel/prng.ts';
import { createProcess, type SimulatedProcess } from '../kernel/process.ts';
import type { Scheduler } from '../kernel/scheduler.ts';
import type { Trace } from '../kernel/trace.ts';
import type { Faults } from './faults.ts';

/** What the code under test learns about one invocation; the part of Lambda's context that the handlers use. */
export interface InvocationContext {
  awsRequestId: string;
  remainingMs(): number;
}

export type InvocationEnd =
  | { kind: 'returned'; value: unknown }
  /** The handler threw, the process died or the time was up: the caller cannot tell which. */
  | { kind: 'failed'; reason: string };

export interface LambdaSettings<Input> {
  name: string;
  /** Every new process, before its code is loaded. */
  onStart?: (process: SimulatedProcess) => void;
  timeoutMs: number;
  seed: number;
  /** Module scope and handler of one execution environment. */
  start: (process: SimulatedProcess) => (input: Input, context: InvocationContext) => Promise<unknown>;
}

export interface LambdaFunction<Input> {
  readonly name: string;
  invoke(input: Input, onEnd: (end: InvocationEnd) => void): void;
  /** Invocations that the platform waits for. */
  readonly running: number;
  /** How each finished one ended. */
  readonly ends: { returned: number; failed: number };
}

interface Environment<Input> {
  process: SimulatedProcess;
  handle: (input: Input, context: InvocationContext) => Promise<unknown>;
}

/** Between the death of a process and the moment at which the platform tells the caller. */
const CRASH_NOTICE_MS = 20;
const COLD_START_MS = 150;
/** Chance that a warm environment is not reused: the platform recycles them as it likes. */
const RECYCLE_CHANCE = 0.05;

export function createLambda<Input>(
  scheduler: Scheduler,
  faults: Faults,
  trace: Trace,
  settings: LambdaSettings<Input>,
): LambdaFunction<Input> {
  const { name, timeoutMs, seed, start } = settings;
  const choices = createPrng(seed, `lambda/${name}`);
  const idle: Environment<Input>[] = [];
  const ends = { returned: 0, failed: 0 };
  let environmentsMade = 0;
  let invocations = 0;
  let running = 0;

  const startCold = (): Environment<Input> => {
    const processName = `${name}/${++environmentsMade}`;
    const skewMs = faults.strikes('clock-skew', processName)
      ? faults.details('clock-skew').int(-300_000, 300_000)
      : choices.int(-20, 20);
    const process = createProcess(scheduler, { name: processName, seed, skewMs });
    settings.onStart?.(process);
    const environment = { process, handle: start(process) };
    process.onKill(() => {
      const index = idle.indexOf(environment);
      if (index >= 0) idle.splice(index, 1);
    });
    return environment;
  };

  const takeEnvironment = (): { environment: Environment<Input>; cold: boolean } => {
    const warm = idle.pop();
    if (warm === undefined) return { environment: startCold(), cold: true };
    if (!choices.chance(RECYCLE_CHANCE)) {
      warm.process.thaw();
      return { environment: warm, cold: false };
    }
    warm.process.kill();
    return { environment: startCold(), cold: true };
  };

  const invoke = (input: Input, onEnd: (end: InvocationEnd) => void): void => {
    const { environment, cold } = takeEnvironment();
    const { process, handle } = environment;
    const requestId = `${process.name}#${++invocations}`;
    const begin = scheduler.now() + (cold ? COLD_START_MS : 1);
    const allowedMs = faults.strikes('early-end', requestId) ? faults.details('early-end').int(0, 1_500) : timeoutMs;
    const deadline = begin + allowedMs;
    let ended = false;
    running++;

    const end = (result: InvocationEnd): void => {
      if (ended) return;
      ended = true;
      running--;
      ends[result.kind]++;
      deadlineTimer.cancel();
      trace.note(requestId, result.kind === 'returned' ? 'returned' : `failed: ${result.reason}`);
      onEnd(result);
    };
    const deadlineTimer = scheduler.at(deadline, () => {
      // A frozen process is a zombie: nobody can kill it, and nobody gives it work again.
      if (process.state !== 'frozen') process.kill();
      end({ kind: 'failed', reason: 'time is up' });
    });
    process.onKill(() => {
      scheduler.after(CRASH_NOTICE_MS, () => end({ kind: 'failed', reason: 'the process died' }));
    });

    process.deliver(begin, () => {
      trace.note(requestId, 'begins');
      const context: InvocationContext = {
        awsRequestId: requestId,
        remainingMs: () => Math.max(0, deadline - scheduler.now()),
      };
      handle(input, context).then(
        (value) => {
          if (ended) return;
          process.freeze();
          idle.push(environment);
          end({ kind: 'returned', value });
        },
        (error: unknown) => {
          if (ended) return;
          process.freeze();
          idle.push(environment);
          end({ kind: 'failed', reason: String(error) });
        },
      );
    });
  };

  return {
    name,
    invoke,
    get running() {
      return running;
    },
    ends,
  };
}

/** Lambda tries a failed asynchronous invocation again after one and after two minutes (developer guide), then gives up. */
export function invokeAsync<Input>(
  scheduler: Scheduler,
  target: LambdaFunction<Input>,
  input: Input,
  onGivenUp: () => void,
): void {
  const attempt = (tries: number): void => {
    target.invoke(input, (end) => {
      if (end.kind === 'returned') return;
      if (tries > 2) onGivenUp();
      else scheduler.after(tries * 60_000, () => attempt(tries + 1));
    });
  };
  attempt(1);
}
