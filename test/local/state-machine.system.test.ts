// State machines of a deployed template: real functions, real retries, AWS's own rules about names.

import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type LocalCloud, startLocalCloud } from '../../lib/local/local-cloud.ts';
import { waitUntil } from '../../lib/recovery/drill/wait-until.ts';
import { fixtureAssembly, runFolder } from './fixture/assembly.ts';

let local: LocalCloud;
let sfn: SFNClient;
const client = () => ({
  endpoint: local.endpoint,
  region: 'us-east-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
});

const start = (name: string, input: object) =>
  sfn.send(
    new StartExecutionCommand({ stateMachineArn: local.outputs.MachineArn, name, input: JSON.stringify(input) }),
  );
async function ended(name: string, input: object) {
  const { executionArn } = await start(name, input);
  return waitUntil(`the end of ${name}`, async () => {
    const execution = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    return execution.status === 'RUNNING' ? undefined : execution;
  });
}

beforeAll(async () => {
  const assembly = fixtureAssembly('machines', (flow) => {
    // Only the workflow and what it needs.
    const kept = ['StepRole', 'StepRolePolicy', 'Step', 'MachineRole', 'MachineRolePolicy', 'Machine'];
    for (const id of Object.keys(flow.Resources))
      if (!kept.includes(id)) delete (flow.Resources as Record<string, unknown>)[id];
    const outputs = flow.Outputs as Record<string, unknown>;
    for (const name of Object.keys(outputs)) if (name !== 'MachineArn') delete outputs[name];
  });
  local = await startLocalCloud(Promise.resolve(assembly), { runFolder: runFolder('machines'), waitLimitMs: 100 });
  sfn = new SFNClient(client());
}, 120_000);
afterAll(() => local?.stop());

describe('a state machine', () => {
  it('runs tasks, choices and waits, and knows its own name', async () => {
    const execution = await ended('counts', { until: 3 });
    expect(execution).toMatchObject({ status: 'SUCCEEDED', output: JSON.stringify({ count: 3, name: 'counts' }) });
  });

  it('tells its history', async () => {
    const { executionArn } = await ended('told', { until: 2 });
    const { events = [] } = await sfn.send(new GetExecutionHistoryCommand({ executionArn }));
    const entered = events.flatMap((event) => event.stateEnteredEventDetails?.name ?? []);
    expect(entered).toEqual(['Count', 'Enough', 'Rest', 'Again', 'Enough', 'Name']);
  });

  it('ends in the Fail state that a caught error leads to, with its name and cause', async () => {
    const execution = await ended('fails', { until: 1, fail: 'Expected' });
    expect(execution).toMatchObject({ status: 'FAILED', error: 'NotGood', cause: 'as expected' });
  });

  it("ends with the function's own error when nobody catches it", async () => {
    const execution = await ended('breaks', { until: 1, fail: 'Surprise' });
    expect(execution).toMatchObject({ status: 'FAILED', error: 'Surprise' });
    expect(execution.cause).toContain('told to fail');
  });

  it('does not carry more than 256 KiB from state to state', async () => {
    const execution = await ended('fat', { until: 1, size: 300_000 });
    expect(execution).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
  });

  it('takes the same start for the same execution while it runs, and its name for good', async () => {
    const first = await start('once', { until: 50 });
    expect((await start('once', { until: 50 })).executionArn).toBe(first.executionArn);
    await expect(start('once', { until: 51 })).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
    await sfn.send(new StopExecutionCommand({ executionArn: first.executionArn, error: 'Enough', cause: 'test' }));
    const stopped = await sfn.send(new DescribeExecutionCommand({ executionArn: first.executionArn }));
    expect(stopped).toMatchObject({ status: 'ABORTED', error: 'Enough' });
    await expect(start('once', { until: 50 })).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
  });

  it('lists its executions by status', async () => {
    await ended('listed', { until: 1 });
    const { executions = [] } = await sfn.send(
      new ListExecutionsCommand({ stateMachineArn: local.outputs.MachineArn, statusFilter: 'SUCCEEDED' }),
    );
    expect(executions.map((execution) => execution.name)).toContain('listed');
    expect(executions.every((execution) => execution.status === 'SUCCEEDED')).toBe(true);
  });

  it('refuses what is no machine, no name and no input', async () => {
    const stateMachineArn = `${local.outputs.MachineArn}x`;
    await expect(sfn.send(new StartExecutionCommand({ stateMachineArn }))).rejects.toMatchObject({
      name: 'StateMachineDoesNotExist',
    });
    await expect(start('a b', {})).rejects.toMatchObject({ name: 'InvalidName' });
    const broken = new StartExecutionCommand({ stateMachineArn: local.outputs.MachineArn, input: '{' });
    await expect(sfn.send(broken)).rejects.toMatchObject({ name: 'InvalidExecutionInput' });
  });

  it('runs beside direct invocations of its function', async () => {
    const answer = await new LambdaClient(client()).send(
      new InvokeCommand({ FunctionName: 'Step', Payload: '{"count":4}' }),
    );
    expect(JSON.parse(Buffer.from(answer.Payload ?? []).toString())).toEqual({ count: 5 });
  });

  it('does not start when its role may not invoke its function', async () => {
    const assembly = fixtureAssembly('no-invoke', (flow) => {
      flow.Resources.MachineRolePolicy.Properties.PolicyDocument.Statement.shift();
    });
    const started = startLocalCloud(Promise.resolve(assembly), { runFolder: runFolder('no-invoke') });
    await expect(started).rejects.toMatchObject({
      code: 'LOCAL_NOT_PERMITTED',
      message: expect.stringContaining('lambda:InvokeFunction'),
    });
  });
});
