import { describe, expect, it } from '@jest/globals';
import type { Asl } from '../../support/recovery-definition.ts';
import { createPrng } from '../kernel/prng.ts';
import { createScheduler, START_OF_TIME } from '../kernel/scheduler.ts';
import type { InvocationEnd } from './lambda.ts';
import { createStateMachine, type ExecutionEnd } from './state-machine.ts';

interface Called {
  name: string;
  input: unknown;
  atMs: number;
}

const MINUTE = 60_000;

/** Runs for an hour; `answer` says how the n-th call ends. */
function run(states: Record<string, object>, input: unknown, answer: (call: Called, n: number) => InvocationEnd) {
  const scheduler = createScheduler(() => undefined);
  const calls: Called[] = [];
  const entered: string[] = [];
  let end: ExecutionEnd | undefined;
  const machine = createStateMachine({
    definition: { StartAt: 'First', States: states } as unknown as Asl,
    scheduler,
    prng: createPrng(1, 'test'),
    invoke: (name, given, onEnd) => {
      const call = { name, input: given, atMs: scheduler.now() - START_OF_TIME };
      calls.push(call);
      scheduler.after(1_000, () => onEnd(answer(call, calls.length)));
    },
    onState: (_, state) => void entered.push(state),
  });
  machine.start('one', input, (how) => {
    end = how;
  });
  scheduler.run({ until: START_OF_TIME + 60 * MINUTE, maxSteps: 10_000, done: () => false });
  return { calls, entered, end, machine };
}

const task = (fields: object) => ({ Type: 'Task', Resource: 'arn:aws:lambda:eu-central-1:1:function:work', ...fields });
const fails = (reason: string): InvocationEnd => ({ kind: 'failed', reason });
const returns = (value: unknown): InvocationEnd => ({ kind: 'returned', value });
const RETRY = { IntervalSeconds: 2, BackoffRate: 2, MaxAttempts: 4, MaxDelaySeconds: 5 };

describe('the simulated Step Functions', () => {
  it('tries a task again with the same input, with pauses that grow up to their limit, and then catches', () => {
    const First = task({
      Parameters: { 'of.$': '$.a.b', fixed: 1 },
      Retry: [{ ErrorEquals: ['States.ALL'], ...RETRY }],
      Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.why', Next: 'Last' }],
    });
    const { calls, end } = run({ First, Last: { Type: 'Succeed' } }, { a: { b: 7 } }, () => fails('the process died'));
    expect(calls.map(({ input }) => input)).toEqual(Array.from({ length: 5 }, () => ({ of: 7, fixed: 1 })));
    expect(calls.map(({ atMs }) => atMs)).toEqual([0, 3_000, 8_000, 14_000, 20_000]);
    const why = { Error: 'Runtime.ExitError', Cause: 'the process died' };
    expect(end).toEqual({ kind: 'succeeded', output: { a: { b: 7 }, why } });
  });

  it('matches retriers in their order and by name, and fails with what nobody catches', () => {
    const Retry = [
      { ErrorEquals: ['Refused'], MaxAttempts: 0 },
      { ErrorEquals: ['States.ALL'], ...RETRY },
    ];
    const refused = run({ First: task({ Retry, Next: 'Last' }), Last: { Type: 'Succeed' } }, {}, () =>
      fails('Refused: no'),
    );
    expect([refused.calls.length, refused.end]).toEqual([1, { kind: 'failed', error: 'Refused', cause: 'no' }]);
    const healed = run({ First: task({ Retry, End: true }) }, {}, (_, n) => (n < 3 ? fails('Other: x') : returns(n)));
    expect(healed.end).toEqual({ kind: 'succeeded', output: 3 });
  });

  it('maps items, so many at once, and fails as a whole with one of them', () => {
    const Each = { StartAt: 'Item', States: { Item: task({ End: true }) } };
    const First = {
      Type: 'Map',
      ItemsPath: '$.all',
      ItemSelector: { 'n.$': '$$.Map.Item.Value' },
      ItemProcessor: Each,
      MaxConcurrency: 2,
      ResultPath: '$.of',
      End: true,
    };
    const good = run({ First }, { all: [4, 5, 6] }, ({ input }) => returns((input as { n: number }).n * 2));
    expect(good.calls.map(({ atMs }) => atMs)).toEqual([0, 0, 1_000]);
    expect(good.end).toEqual({ kind: 'succeeded', output: { all: [4, 5, 6], of: [8, 10, 12] } });
    expect(run({ First }, { all: [] }, () => returns(0)).end).toMatchObject({ output: { of: [] } });
    const bad = run({ First }, { all: [4, 5] }, (_, n) => (n === 2 ? fails('X: y') : returns(0)));
    expect(bad.end).toMatchObject({ kind: 'failed', error: 'States.ExceedToleratedFailureThreshold' });
  });

  it('waits for the answer to a token, and for no longer than it is told', () => {
    const First = task({
      Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
      Parameters: { FunctionName: 'arn:aws:lambda:eu-central-1:1:function:ask', Payload: { 't.$': '$$.Task.Token' } },
      TimeoutSeconds: 600,
      Catch: [{ ErrorEquals: ['States.Timeout'], Next: 'Late' }],
      Next: 'Last',
    });
    const states = { First, Last: { Type: 'Succeed' }, Late: { Type: 'Fail', Error: 'Late', Cause: 'c' } };
    const { calls, end, machine } = run(states, {}, () => returns('asked'));
    expect(calls).toMatchObject([{ name: 'ask', input: { t: 'token-1' } }]);
    expect(end).toEqual({ kind: 'failed', error: 'Late', cause: 'c' });
    expect(machine.answer('token-1', { output: 1 })).toBe(false);
  });

  it('walks over nothing that it does not know', () => {
    const odd = (state: object) => () => run({ First: state }, {}, () => returns(0));
    expect(odd(task({ HeartbeatSeconds: 5, End: true }))).toThrow('HeartbeatSeconds');
    expect(odd({ Type: 'Pass', End: true })).toThrow('Pass');
    expect(odd({ Type: 'Choice', Choices: [{ Variable: '$.a', IsNull: true, Next: 'First' }] })).toThrow('IsNull');
    expect(odd(task({ Parameters: { 'x.$': '$.nothing' }, End: true }))).toThrow('$.nothing');
  });
});
