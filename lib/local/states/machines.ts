// State machines and their executions in memory: names are taken for good, a repeated start of a running execution is the
// same execution, and every change of status is an event on the default bus, as on AWS.

import { randomUUID } from 'node:crypto';
import { ExecutionTimeoutError, StateMachine, type StateMachineDefinition } from 'aws-local-stepfunctions';
import type { BusEvent } from '../bus/buses.ts';
import type { Functions } from '../functions/functions.ts';
import { arn, byName, type Named } from '../names.ts';
import { checkDefinition, type Definition, statesOf } from './definition.ts';
import { createTaskTokens, type TaskTokens, TOKEN_PLACE } from './task-tokens.ts';
import { taskHandlers } from './tasks.ts';

export interface MachineSpec extends Named {
  arn: string;
  roleArn: string;
  definition: Definition;
}

export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';

export interface Execution {
  arn: string;
  name: string;
  machine: MachineSpec;
  input: string;
  startedAt: number;
  status: ExecutionStatus;
  stoppedAt?: number;
  output?: string;
  error?: string;
  cause?: string;
  /** What the interpreter told, in order. */
  history: HistoryEntry[];
}

/** An event of the interpreter; which fields it has depends on its type. */
export interface HistoryEntry {
  type: string;
  timestamp: number;
  state?: { name: string; type: string; input: unknown; output?: unknown };
}

export type StartResult = { kind: 'started'; execution: Execution } | { kind: 'no-such-machine' | 'name-taken' };

export interface Machines {
  add(spec: MachineSpec): void;
  all(): readonly MachineSpec[];
  /** By ARN or any name. */
  get(name: string): MachineSpec;
  start(machineArn: string, input: string, name?: string): StartResult;
  execution(executionArn: string): Execution | undefined;
  executions(machineArn: string): Execution[];
  /** False when there is no such execution; one that has ended stays as it is. */
  abort(executionArn: string, error?: string, cause?: string): boolean;
  readonly tokens: TaskTokens;
  readonly running: number;
  stop(): void;
}

export interface MachinesOptions {
  functions: Functions;
  publish(event: BusEvent): void;
  /** No Wait state waits longer. @default as the definition says */
  waitLimitMs?: number;
}

export function createMachines({ functions, publish, waitLimitMs }: MachinesOptions): Machines {
  const machines = new Map<string, MachineSpec>();
  const executions = new Map<string, Execution>();
  const aborts = new Map<string, () => void>();
  const tokens = createTaskTokens();

  const end = (execution: Execution, change: Partial<Execution>): void => {
    if (execution.status !== 'RUNNING') return;
    Object.assign(execution, { stoppedAt: Date.now(), ...change });
    aborts.delete(execution.arn);
    publish(statusChanged(execution));
  };

  const run = async (execution: Execution): Promise<void> => {
    const { definition } = execution.machine;
    const interpreter = new StateMachine(definition as unknown as StateMachineDefinition, INTERPRETER_OPTIONS);
    const running = interpreter.run(JSON.parse(execution.input), {
      context: contextOf(execution) as never,
      overrides: {
        taskResourceLocalHandlers: taskHandlers(definition, { functions, tokens, machineArn: execution.machine.arn }),
        waitTimeOverrides: shortened(definition, waitLimitMs),
      },
    });
    aborts.set(execution.arn, running.abort);
    void record(running.eventLogs, execution.history);
    try {
      end(execution, { status: 'SUCCEEDED', output: JSON.stringify(await running.result) });
    } catch (error) {
      end(execution, failureOf(error));
    }
  };

  return {
    tokens,
    add(spec) {
      checkDefinition(spec.definition, spec.path ?? spec.name);
      // The interpreter checks the rest of the language when it is made.
      new StateMachine(spec.definition as unknown as StateMachineDefinition, INTERPRETER_OPTIONS);
      machines.set(spec.arn, spec);
    },
    all: () => [...machines.values()],
    get: (name) => machines.get(name) ?? byName(machines.values(), name, 'state machine'),
    start(machineArn, input, name = randomUUID()) {
      const machine = machines.get(machineArn);
      if (!machine) return { kind: 'no-such-machine' };
      const executionArn = arn('states', `execution:${machine.name}:${name}`);
      const earlier = executions.get(executionArn);
      if (earlier) {
        const isSame = earlier.status === 'RUNNING' && earlier.input === input;
        return isSame ? { kind: 'started', execution: earlier } : { kind: 'name-taken' };
      }
      const execution: Execution = {
        arn: executionArn,
        name,
        machine,
        input,
        startedAt: Date.now(),
        status: 'RUNNING',
        history: [],
      };
      executions.set(executionArn, execution);
      publish(statusChanged(execution));
      void run(execution);
      return { kind: 'started', execution };
    },
    execution: (executionArn) => executions.get(executionArn),
    executions: (machineArn) => [...executions.values()].filter((one) => one.machine.arn === machineArn).reverse(),
    abort(executionArn, error, cause) {
      const execution = executions.get(executionArn);
      if (!execution) return false;
      const abort = aborts.get(executionArn);
      end(execution, { status: 'ABORTED', error, cause });
      abort?.();
      return true;
    },
    get running() {
      return aborts.size;
    },
    stop() {
      for (const execution of executions.values()) this.abort(execution.arn);
    },
  };
}

/** Functions are named by local ARNs; paths may use what only the run knows. */
const INTERPRETER_OPTIONS = { validationOptions: { checkArn: false } };

const contextOf = ({ arn: Id, name, machine, input, startedAt }: Execution): object => ({
  Execution: {
    Id,
    Name: name,
    Input: JSON.parse(input),
    RoleArn: machine.roleArn,
    StartTime: new Date(startedAt).toISOString(),
  },
  StateMachine: { Id: machine.arn, Name: machine.name },
  Task: { Token: TOKEN_PLACE },
});

function shortened(definition: Definition, limitMs: number | undefined): Record<string, number> {
  if (limitMs === undefined) return {};
  const waits = statesOf(definition).filter((state) => state.Type === 'Wait');
  return Object.fromEntries(
    waits.map(({ name, Seconds }) => [name, Math.min(limitMs, (Seconds ?? Number.POSITIVE_INFINITY) * 1_000)]),
  );
}

async function record(log: AsyncGenerator<unknown>, history: HistoryEntry[]): Promise<void> {
  for await (const entry of log) history.push(entry as HistoryEntry);
}

/** Error name and cause: of a Fail state, of a task that nobody caught, or of the interpreter itself. */
function failureOf(error: unknown): Partial<Execution> {
  if (error instanceof ExecutionTimeoutError) return { status: 'TIMED_OUT', error: 'States.Timeout' };
  const { cause, message } = error as { cause?: { name?: string; message?: string }; message: string };
  return { status: 'FAILED', error: cause?.name ?? 'States.Runtime', cause: cause?.message ?? message };
}

/** https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html */
const statusChanged = (execution: Execution): BusEvent => ({
  source: 'aws.states',
  detailType: 'Step Functions Execution Status Change',
  resources: [execution.arn],
  detail: {
    executionArn: execution.arn,
    stateMachineArn: execution.machine.arn,
    name: execution.name,
    status: execution.status,
    startDate: execution.startedAt,
    stopDate: execution.stoppedAt ?? null,
    input: execution.input,
    output: execution.output ?? null,
    error: execution.error ?? null,
    cause: execution.cause ?? null,
  },
});
