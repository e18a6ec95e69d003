// `event-recovery recover`, `approve`, `refuse` against a state machine that ends as the test says.

import { describe, expect, it } from '@jest/globals';
import { createRecoverCommand } from '../../lib/cli/commands/recover.ts';
import { runProgram } from '../../lib/cli/program.ts';
import { EventRecoveryError } from '../../lib/model/errors.ts';
import { checkRecoveryRequest } from '../../lib/recovery/recover/input.ts';
import { sampleReport } from '../support/sample-report.ts';

interface End {
  status: string;
  error?: string;
  cause?: string;
  report?: object;
}

async function run(argv: string[], end: End = { status: 'SUCCEEDED', report: sampleReport() }, answer?: object) {
  const started: Record<string, unknown>[] = [];
  const invoked: unknown[] = [];
  const written = { stdout: '', stderr: '' };
  const sfn = {
    send: async ({
      input,
      constructor: { name },
    }: {
      input: Record<string, unknown>;
      constructor: { name: string };
    }) => {
      if (name === 'StartExecutionCommand') started.push(input);
      if (name === 'GetExecutionHistoryCommand') {
        return { events: [{ id: 1, stateEnteredEventDetails: { name: 'AskApproval' } }] };
      }
      return { executionArn: 'arn:execution', ...end };
    },
  };
  const s3 = {
    send: async () => {
      if (end.report === undefined) throw Object.assign(new Error('no key'), { name: 'NoSuchKey' });
      return { Body: { transformToString: async () => JSON.stringify(end.report) } };
    },
  };
  const code = await runProgram(argv, {
    commands: [createRecoverCommand({ sfn: () => sfn as never, s3: () => s3 as never })],
    deploymentOf: () => ({
      value: async (key) => key,
      invoke: async <Answer>(name: string, input: unknown) => {
        invoked.push([name, input]);
        if (answer === undefined) throw new EventRecoveryError('APPROVAL_EXPIRED', 'too late');
        return answer as Answer;
      },
    }),
    streams: {
      stdout: { write: (text) => (written.stdout += text) },
      stderr: { write: (text) => (written.stderr += text) },
    },
  });
  const inputs = started.map(({ input }) => checkRecoveryRequest(JSON.parse(String(input))));
  return { code, inputs, started, invoked, ...written };
}

describe('event-recovery recover', () => {
  it('proposes when it is told nothing, and shows findings, steps, books and where the report is', async () => {
    const { code, inputs, stdout } = await run(['recover']);
    expect(code).toBe(0);
    expect(inputs[0]).toMatchObject({ actions: ['propose'] });
    for (const part of ['Findings:', 'Steps:', 'exactly one place', 's3://archive-bucket-name/recoveries/cli-']) {
      expect(stdout).toContain(part);
    }
  });

  it('changes nothing without --yes when nobody can be asked', async () => {
    const { code, started, stderr } = await run(['--no-input', 'recover', '--action', 'repair']);
    expect({ code, started }).toEqual({ code: 3, started: [] });
    expect(stderr).toContain('nothing was changed');
  });

  it('starts what its options say, as one JSON document with the report', async () => {
    const { code, inputs, stdout, stderr } = await run([
      ...['--yes', '--json', '--requested-by', 'anna', 'recover', '--action', 'fill-gaps', 'redrive'],
      ...['--consumer', 'billing', '--type', 'Paid', '--grace', '5', '--reason', 'fixed'],
    ]);
    expect(code).toBe(0);
    expect(inputs[0]).toMatchObject({
      actions: ['fill-gaps', 'redrive'],
      consumers: ['billing'],
      selection: { consumer: 'billing', eventType: 'Paid' },
      graceSeconds: 5,
      requestedBy: 'anna',
      reason: 'fixed',
    });
    expect(JSON.parse(stdout)).toMatchObject({ result: 'recovered', report: { id: sampleReport().id } });
    expect(stderr).toMatch(/event-recovery approve cli-/);
  });

  it.each([
    ['incomplete', 1],
    ['failed', 1],
    ['refused', 3],
  ])('ends with its own exit code when the result is %s', async (result, expected) => {
    const { code } = await run(['recover'], { status: 'FAILED', report: { ...sampleReport(), result } });
    expect(code).toBe(expected);
  });

  it('says that somebody else is at work, and that an input is wrong, before and after the start', async () => {
    const busy = await run(['recover'], { status: 'FAILED', error: 'AlreadyRecovering', cause: 'held by other' });
    expect(busy).toMatchObject({ code: 3, stderr: expect.stringContaining('CONSUMER_BEING_RECOVERED') });
    const wrong = await run(['recover', '--action', 'explode']);
    expect(wrong).toMatchObject({ code: 2, started: [] });
    const broken = await run(['--yes', 'recover', '--action', 'replay', '--replay', '{']);
    expect(broken).toMatchObject({ code: 2, started: [] });
  });
});

describe('event-recovery approve and refuse', () => {
  it('answer the recovery by its name', async () => {
    const decided = { id: 'recovery-1', decision: 'approve', decidedBy: 'anna', what: ['restore: 2 commits'] };
    const { code, invoked, stdout } = await run(
      ['--requested-by', 'anna', 'approve', 'recovery-1', '--question', 'plan-1', '--reason', 'looked at it'],
      undefined,
      decided,
    );
    expect(code).toBe(0);
    expect(invoked).toEqual([
      [
        'decide-approval',
        { decision: 'approve', id: 'recovery-1', question: 'plan-1', requestedBy: 'anna', reason: 'looked at it' },
      ],
    ]);
    expect(stdout).toContain('restore: 2 commits');
  });

  it('say when nobody waits any more', async () => {
    const { code, stderr } = await run(['refuse', 'recovery-1']);
    expect(code).toBe(3);
    expect(stderr).toContain('APPROVAL_EXPIRED');
  });
});
