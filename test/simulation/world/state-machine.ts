// Step Functions on virtual time: it walks the synthesized definition, state by state, as the States Language has it. The
// service itself never dies; its tasks are Lambda functions that do, and that it tries again with the same input, also while
// an earlier try is still alive. What the definition does not use is not here, and a field or an operator that is not known
// is an error: a definition that grows must not be walked wrongly in silence.
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html

import type { Asl, AslState } from '../../support/recovery-definition.ts';
import type { Prng } from '../kernel/prng.ts';
import type { Scheduler, Timer } from '../kernel/scheduler.ts';
import type { InvocationEnd } from './lambda.ts';
import { conditionHolds } from './state-choices.ts';
import { filled, placed, type StateContext, valueAt } from './state-data.ts';

export interface Failure {
  error: string;
  cause: string;
}

export type ExecutionEnd = { kind: 'succeeded'; output: unknown } | ({ kind: 'failed' } & Failure);

export interface MachineOptions {
  definition: Asl;
  scheduler: Scheduler;
  /** Of the retries' jitter. */
  prng: Prng;
  /** Input and answer travel as JSON. */
  invoke(functionName: string, input: unknown, onEnd: (end: InvocationEnd) => void): void;
  /** A state is entered, with its input. */
  onState(execution: string, state: string, input: unknown): void;
}

export interface StateMachine {
  start(execution: string, input: unknown, onEnd: (end: ExecutionEnd) => void): void;
  /** SendTaskSuccess and SendTaskFailure. False: nobody waits for this token. */
  answer(token: string, end: { output: unknown } | Failure): boolean;
}

type Done = (end: { output: unknown } | Failure) => void;

interface Retrier {
  ErrorEquals: string[];
  IntervalSeconds?: number;
  MaxAttempts?: number;
  BackoffRate?: number;
  MaxDelaySeconds?: number;
  JitterStrategy?: string;
}

interface State extends AslState {
  Next?: string;
  End?: boolean;
  Retry?: Retrier[];
  Catch?: { ErrorEquals: string[]; Next: string; ResultPath?: string }[];
  Resource?: string;
  Parameters?: unknown;
  ResultSelector?: unknown;
  InputPath?: string;
  ResultPath?: string | null;
  OutputPath?: string;
  TimeoutSeconds?: number;
  SecondsPath?: string;
  Choices?: (Record<string, unknown> & { Next: string })[];
  Default?: string;
  ItemsPath?: string;
  ItemSelector?: unknown;
  MaxConcurrency?: number;
  Error?: string;
  Cause?: string;
  CausePath?: string;
}

const COMMON = ['Type', 'Comment', 'Next', 'End', 'Retry', 'Catch', 'ResultPath', 'OutputPath'];
const FIELDS: Record<string, readonly string[]> = {
  Task: [...COMMON, 'Resource', 'Parameters', 'ResultSelector', 'InputPath', 'TimeoutSeconds'],
  Parallel: [...COMMON, 'Branches'],
  Map: [...COMMON, 'ItemsPath', 'ItemSelector', 'ItemProcessor', 'MaxConcurrency'],
  Choice: ['Type', 'Comment', 'Choices', 'Default'],
  Wait: ['Type', 'Comment', 'SecondsPath', 'Next'],
  Succeed: ['Type', 'Comment', 'OutputPath'],
  Fail: ['Type', 'Comment', 'Error', 'Cause', 'CausePath'],
};

/** https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html */
const DEFAULTS = { interval: 1, attempts: 3, backoff: 2 };
/** What a retrier or catcher of `States.ALL` does not match. */
const TERMINAL = ['States.DataLimitExceeded', 'States.Runtime'];

const travelled = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null));

export function createStateMachine(options: MachineOptions): StateMachine {
  const { definition, scheduler, prng, invoke, onState } = options;
  const waiting = new Map<string, (end: { output: unknown } | Failure) => void>();
  let tokens = 0;

  function walk(states: Pick<Asl, 'States'> & { StartAt: string }, input: unknown, context: StateContext, done: Done) {
    const enter = (name: string, given: unknown): void => {
      const state = states.States[name] as State | undefined;
      if (state === undefined) throw new Error(`the definition has no state "${name}"`);
      checkFields(name, state);
      onState(context.Execution.Name, name, given);
      const leave = (output: unknown): void => {
        const next = valueAt(state.OutputPath ?? '$', output, context);
        if (state.Next !== undefined) enter(state.Next, next);
        else done({ output: next });
      };
      switch (state.Type) {
        case 'Choice':
          enter(chosen(name, state, given), given);
          return;
        case 'Wait':
          scheduler.after(Number(valueAt(state.SecondsPath as string, given, context)) * 1_000, () => leave(given));
          return;
        case 'Succeed':
          done({ output: valueAt(state.OutputPath ?? '$', given, context) });
          return;
        case 'Fail':
          done({ error: state.Error as string, cause: causeOf(state, given, context) });
          return;
        default:
          trying(state, given, context, leave, enter, done);
      }
    };
    enter(states.StartAt, input);
  }

  /** Task, Parallel and Map: with retries and catchers. */
  function trying(
    state: State,
    given: unknown,
    context: StateContext,
    leave: (output: unknown) => void,
    enter: (name: string, input: unknown) => void,
    done: Done,
  ): void {
    const tries = new Map<Retrier, number>();
    const attempt = (): void =>
      work(state, given, context, (end) => {
        if ('output' in end) {
          const result =
            state.ResultSelector === undefined ? end.output : filled(state.ResultSelector, end.output, context);
          return leave(placed(state.ResultPath, given, result));
        }
        const retrier = state.Retry?.find(({ ErrorEquals }) => matches(ErrorEquals, end.error));
        const before = retrier === undefined ? 0 : (tries.get(retrier) ?? 0);
        if (retrier !== undefined && before < (retrier.MaxAttempts ?? DEFAULTS.attempts)) {
          tries.set(retrier, before + 1);
          scheduler.after(pauseMs(retrier, before), attempt);
          return;
        }
        const catcher = state.Catch?.find(({ ErrorEquals }) => matches(ErrorEquals, end.error));
        if (catcher === undefined) return done(end);
        enter(catcher.Next, placed(catcher.ResultPath, given, { Error: end.error, Cause: end.cause }));
      });
    attempt();
  }

  function work(state: State, given: unknown, context: StateContext, done: Done): void {
    if (state.Type === 'Task') task(state, valueAt(state.InputPath ?? '$', given, context), context, done);
    else if (state.Type === 'Map') eachItem(state, given, context, done);
    else eachBranch(state, given, context, done);
  }

  function eachBranch(state: State, given: unknown, context: StateContext, done: Done): void {
    const branches = (state.Branches ?? []) as Asl[];
    const outputs: unknown[] = branches.map(() => undefined);
    let left = branches.length;
    let isOver = false;
    branches.forEach((branch, index) => {
      walk(branch, given, context, (end) => {
        if (isOver) return;
        isOver = !('output' in end);
        if (!('output' in end)) return done(end);
        outputs[index] = end.output;
        left -= 1;
        if (left === 0) done({ output: outputs });
      });
    });
  }

  /** Items that have begun when one fails are not stopped: their functions are at work. */
  function eachItem(state: State, given: unknown, context: StateContext, done: Done): void {
    const items = valueAt(state.ItemsPath ?? '$', given, context) as unknown[];
    const outputs: unknown[] = items.map(() => undefined);
    const atOnce = state.MaxConcurrency ?? Number.POSITIVE_INFINITY;
    let next = 0;
    let left = items.length;
    let isOver = false;
    if (left === 0) done({ output: [] });
    const begin = (): void => {
      if (isOver || next >= items.length) return;
      const index = next++;
      const ofItem = { ...context, Map: { Item: { Index: index, Value: items[index] } } };
      const input = state.ItemSelector === undefined ? items[index] : filled(state.ItemSelector, given, ofItem);
      walk(state.ItemProcessor as Asl, input, context, (end) => {
        if (isOver) return;
        if (!('output' in end)) {
          isOver = true;
          const error = 'States.ExceedToleratedFailureThreshold';
          return done({ error, cause: `${end.error}: ${end.cause}` });
        }
        outputs[index] = end.output;
        left -= 1;
        if (left === 0) done({ output: outputs });
        else begin();
      });
    };
    while (next < Math.min(items.length, atOnce)) begin();
  }

  function task(
    { Resource = '', Parameters, TimeoutSeconds }: State,
    input: unknown,
    context: StateContext,
    done: Done,
  ) {
    if (!Resource.endsWith(':lambda:invoke.waitForTaskToken')) {
      const payload = Parameters === undefined ? input : filled(Parameters, input, context);
      return call(lastOf(Resource), payload, done);
    }
    const token = `token-${++tokens}`;
    let isOver = false;
    let timer: Timer | undefined;
    const end: Done = (answer) => {
      if (isOver) return;
      isOver = true;
      waiting.delete(token);
      timer?.cancel();
      done(answer);
    };
    if (TimeoutSeconds !== undefined) {
      const giveUp = () => end({ error: 'States.Timeout', cause: 'nobody answered' });
      timer = scheduler.after(TimeoutSeconds * 1_000, giveUp);
    }
    waiting.set(token, end);
    const filledIn = filled(Parameters, input, { ...context, Task: { Token: token } });
    const { FunctionName, Payload } = filledIn as { FunctionName: string; Payload: unknown };
    call(lastOf(FunctionName), Payload, (answer) => {
      if (!('output' in answer)) end(answer);
    });
  }

  const call = (functionName: string, payload: unknown, done: Done): void =>
    invoke(functionName, travelled(payload), (end) =>
      done(end.kind === 'returned' ? { output: travelled(end.value) } : failureOf(end.reason)),
    );

  const pauseMs = ({ IntervalSeconds, BackoffRate, MaxDelaySeconds, JitterStrategy }: Retrier, before: number) => {
    const whole = (IntervalSeconds ?? DEFAULTS.interval) * (BackoffRate ?? DEFAULTS.backoff) ** before * 1_000;
    const capped = Math.min(whole, (MaxDelaySeconds ?? Number.POSITIVE_INFINITY) * 1_000);
    return JitterStrategy === 'FULL' ? prng.int(0, capped) : capped;
  };

  return {
    start(execution, input, onEnd) {
      const context = { Execution: { Id: execution, Name: execution, Input: travelled(input), RedriveCount: 0 } };
      walk(definition, travelled(input), context, (end) =>
        onEnd('output' in end ? { kind: 'succeeded', output: end.output } : { kind: 'failed', ...end }),
      );
    },
    answer(token, end) {
      const waits = waiting.get(token);
      waits?.(end);
      return waits !== undefined;
    },
  };
}

const lastOf = (arn: string): string => arn.slice(arn.lastIndexOf(':') + 1);

function checkFields(name: string, state: State): void {
  const known = FIELDS[state.Type];
  const unknown = Object.keys(state).filter((field) => known?.includes(field) !== true);
  if (unknown.length > 0) throw new Error(`state "${name}" of type ${state.Type} has ${unknown.join()}: not simulated`);
}

function chosen(name: string, { Choices = [], Default }: State, given: unknown): string {
  const next = Choices.find((choice) => conditionHolds(choice, given))?.Next ?? Default;
  if (next === undefined) throw new Error(`state "${name}" has no choice for its input, and no default`);
  return next;
}

const causeOf = ({ Cause, CausePath }: State, given: unknown, context: StateContext): string =>
  CausePath === undefined ? (Cause ?? '') : String(valueAt(CausePath, given, context));

const matches = (names: readonly string[], error: string): boolean =>
  names.includes(error) || (names.includes('States.ALL') && !TERMINAL.includes(error));

/** A thrown error is named by its class; a dead process and a timeout have the names that Lambda gives them. */
function failureOf(reason: string): Failure {
  if (reason === 'time is up') return { error: 'Sandbox.Timedout', cause: reason };
  const thrown = /^(?<error>\w[\w.]*): (?<cause>.*)/s.exec(reason)?.groups;
  if (thrown !== undefined) return { error: thrown.error as string, cause: thrown.cause as string };
  return { error: 'Runtime.ExitError', cause: reason };
}
