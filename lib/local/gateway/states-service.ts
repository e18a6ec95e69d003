// The part of Step Functions' API that functions and operators call: starting, looking at and stopping executions.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_Operations.html

import type { Execution, HistoryEntry, Machines } from '../states/machines.ts';
import { STATE_MAX_BYTES } from '../states/tasks.ts';
import type { ServiceHandler } from './gateway.ts';
import { isJson } from './is-json.ts';
import { errorReply, jsonReply, type Reply } from './replies.ts';

interface Input {
  stateMachineArn?: string;
  executionArn?: string;
  name?: string;
  input?: string;
  statusFilter?: string;
  error?: string;
  cause?: string;
  taskToken?: string;
  output?: string;
}

/** 1 to 80 characters without white space, brackets, wildcards and other special ones. */
const EXECUTION_NAME = /^[^\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}]{1,80}$/u;

export const statesService =
  (machines: Machines): ServiceHandler =>
  async (call) => {
    const input = JSON.parse(call.bodyText() || '{}') as Input;
    switch (call.operation) {
      case 'StartExecution':
        return start(machines, input);
      case 'DescribeExecution':
        return withExecution(machines, input, describe);
      case 'GetExecutionHistory':
        return withExecution(machines, input, ({ history }) => ({ events: history.map(historyEvent) }));
      case 'StopExecution':
        return withExecution(machines, input, (execution) => {
          machines.abort(execution.arn, input.error, input.cause);
          return { stopDate: seconds(execution.stoppedAt) };
        });
      case 'ListExecutions':
        return jsonReply({
          executions: machines
            .executions(input.stateMachineArn ?? '')
            .filter((execution) => input.statusFilter === undefined || execution.status === input.statusFilter)
            .map(summary),
        });
      case 'SendTaskSuccess':
        if (!isJson(input.output ?? '')) return refused('InvalidOutput', 'Invalid Output: not JSON');
        return sent(machines.tokens.succeed(input.taskToken ?? '', JSON.parse(input.output ?? '')));
      case 'SendTaskFailure':
        return sent(machines.tokens.fail(input.taskToken ?? '', input.error ?? '', input.cause ?? ''));
      case 'ListStateMachines':
        return jsonReply({
          stateMachines: machines
            .all()
            .map(({ arn, name }) => ({ stateMachineArn: arn, name, type: 'STANDARD', creationDate: 0 })),
        });
      case 'DescribeStateMachine': {
        const machine = machines.all().find((one) => one.arn === input.stateMachineArn);
        if (!machine) return noMachine(input.stateMachineArn);
        const { arn, name, roleArn, definition } = machine;
        return jsonReply({
          stateMachineArn: arn,
          name,
          roleArn,
          definition: JSON.stringify(definition),
          type: 'STANDARD',
          status: 'ACTIVE',
          creationDate: 0,
        });
      }
      default:
        return refused(
          'UnknownOperationException',
          `the local Step Functions have no ${call.operation}; they start, describe, list and stop executions, and take task tokens back`,
        );
    }
  };

function start(machines: Machines, { stateMachineArn = '', input = '{}', name }: Input): Reply {
  if (name !== undefined && !EXECUTION_NAME.test(name)) return refused('InvalidName', `Invalid Name: '${name}'`);
  if (!isJson(input)) return refused('InvalidExecutionInput', 'Invalid State Machine Execution Input: not JSON');
  if (Buffer.byteLength(input) > STATE_MAX_BYTES) {
    return refused(
      'InvalidExecutionInput',
      `input has ${Buffer.byteLength(input)} bytes, at most ${STATE_MAX_BYTES} are allowed`,
    );
  }
  const result = machines.start(stateMachineArn, input, name);
  switch (result.kind) {
    case 'started':
      return jsonReply({ executionArn: result.execution.arn, startDate: seconds(result.execution.startedAt) });
    case 'name-taken':
      return refused('ExecutionAlreadyExists', `Execution Already Exists: '${name}'`);
    case 'no-such-machine':
      return noMachine(stateMachineArn);
  }
}

function withExecution(machines: Machines, input: Input, answer: (execution: Execution) => object): Reply {
  const execution = machines.execution(input.executionArn ?? '');
  if (!execution) return refused('ExecutionDoesNotExist', `Execution Does Not Exist: '${input.executionArn}'`);
  return jsonReply(answer(execution));
}

const summary = (execution: Execution) => ({
  executionArn: execution.arn,
  stateMachineArn: execution.machine.arn,
  name: execution.name,
  status: execution.status,
  startDate: seconds(execution.startedAt),
  stopDate: seconds(execution.stoppedAt),
});

const describe = (execution: Execution) => ({
  ...summary(execution),
  input: execution.input,
  output: execution.output,
  error: execution.error,
  cause: execution.cause,
});

/** The interpreter's events under AWS's names: `TaskStateEntered` with the state's name, and so on. */
function historyEvent(entry: HistoryEntry, index: number): object {
  const { state, type } = entry;
  const base = { id: index + 1, previousEventId: index, timestamp: entry.timestamp / 1_000 };
  if (state && type === 'StateEntered') {
    return {
      ...base,
      type: `${state.type}StateEntered`,
      stateEnteredEventDetails: { name: state.name, input: JSON.stringify(state.input) },
    };
  }
  if (state && type === 'StateExited') {
    return {
      ...base,
      type: `${state.type}StateExited`,
      stateExitedEventDetails: { name: state.name, output: JSON.stringify(state.output) },
    };
  }
  return { ...base, type };
}

const seconds = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : ms / 1_000);

const sent = (isWaiting: boolean): Reply =>
  isWaiting ? jsonReply({}) : refused('TaskTimedOut', 'Task Timed Out: provided task does not exist anymore');

const refused = (code: string, message: string): Reply => errorReply('sfn', code, message);

const noMachine = (arn: string | undefined): Reply =>
  refused('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
