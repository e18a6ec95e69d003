import { describe, expect, it } from '@jest/globals';
import { checkRedriveRequest } from '../../lib/recovery/redrive/request.ts';
import { runCommands } from './run-commands.ts';

const found = {
  result: 'would',
  count: 1,
  streams: 1,
  listed: [
    {
      id: 'inventory#1#7#order-1',
      consumer: 'inventory',
      streamId: 'order-1',
      version: 7,
      eventType: 'OrderPlaced',
      rounds: 0,
      how: 'un-park',
    },
  ],
  exhausted: 2,
  undeployed: 0,
  truncated: false,
  plan: {
    id: 'plan-1',
    mode: 'redrive',
    blastRadius: ['consumers "inventory" only: 1 dead letters of 1 streams are tried again'],
    totals: { streams: 1, events: 4, expectedRepeats: 0, wakeUps: 1, readUnits: 12, writeUnits: 40, etaSeconds: 1 },
    request: { ratePerSecond: 10 },
  },
  runs: [],
};

/** A deployment that checks every input as the function does. */
async function run(argv: string[], answers: object[]) {
  const inputs: Record<string, unknown>[] = [];
  const ended = await runCommands(argv, (name, sent) => {
    expect(name).toBe('redrive-dead-letters');
    checkRedriveRequest(sent);
    inputs.push(sent as Record<string, unknown>);
    return answers[inputs.length - 1];
  });
  return { ...ended, inputs };
}

describe('event-recovery dead-letters and redrive', () => {
  it('lists what waits, without changing anything, and says the next command', async () => {
    const { code, inputs, stdout } = await run(['dead-letters', '--consumer', 'inventory'], [found]);
    expect(code).toBe(1);
    expect(inputs).toMatchObject([{ action: 'list', selection: { consumer: 'inventory', failedFrom: 0 } }]);
    expect(stdout).toContain('inventory#1#7#order-1');
    expect(stdout).toContain('npx event-recovery redrive --consumer "inventory"');
    expect(await run(['dead-letters'], [{ ...found, count: 0, listed: [] }])).toMatchObject({ code: 0 });
  });

  it('only says what it would do unless told to apply, and applies only what was agreed to', async () => {
    const dry = await run(['redrive', '--type', 'OrderPlaced'], [found]);
    expect([dry.code, dry.inputs.length, dry.inputs[0]?.dryRun]).toEqual([0, 1, true]);
    expect(dry.stdout).toContain('12 read and 40 write units, 1 s at 10 dead letters/s');
    expect(dry.stdout).toContain('npx event-recovery redrive start plan-1');
    const refused = await run(['redrive', '--type', 'OrderPlaced', '--apply', '--no-input'], [found]);
    expect([refused.code, refused.inputs.length]).toEqual([3, 1]);
    expect(refused.stderr).toContain('CONFIRMATION_REQUIRED');
  });

  it('applies with --yes, and exits with 1 when the canary failed', async () => {
    const runs = [{ id: 'run-1', status: 'failed', done: 1, changed: 0, note: 'the canary failed again' }];
    const argv = ['--yes', '--json', 'redrive', '--id', 'inventory#1#7#order-1', '--apply', '--rate', '2'];
    const { code, inputs, stdout } = await run(argv, [found, { ...found, result: 'failed', runs }]);
    expect(code).toBe(1);
    expect(inputs).toMatchObject([
      { dryRun: true, canary: true, ratePerSecond: 2, selection: { id: 'inventory#1#7#order-1' } },
      { action: 'start', planId: 'plan-1', dryRun: false },
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ result: 'failed' });
  });

  it('starts a plan that was made before, after it was looked at again and agreed to', async () => {
    const done = {
      ...found,
      plan: undefined,
      result: 'done',
      runs: [{ id: 'plan-1', status: 'done', done: 1, changed: 0 }],
    };
    const { code, inputs } = await run(['--yes', 'redrive', 'start', 'plan-1', '--replan'], [found, done]);
    expect(code).toBe(0);
    expect(inputs).toMatchObject([
      { action: 'start', planId: 'plan-1', replan: true, dryRun: true },
      { action: 'start', planId: 'plan-1', replan: true, dryRun: false },
    ]);
    const refused = await run(['redrive', 'start', 'plan-1', '--no-input'], [found]);
    expect([refused.code, refused.inputs.length]).toEqual([3, 1]);
  });

  it('refuses an empty selection, a discard without a reason and a rate that is no number, with the usage code', async () => {
    for (const argv of [
      ['redrive'],
      ['redrive', '--id', 'x', '--discard'],
      ['redrive', '--id', 'x', '--rate', 'fast'],
    ]) {
      expect(await run(argv, [found])).toMatchObject({ code: 2, inputs: [] });
    }
  });

  it('follows, stops and resumes a run', async () => {
    const running = { ...found, result: 'running', runs: [{ id: 'r', status: 'running', done: 3, changed: 0 }] };
    for (const action of ['status', 'stop', 'resume']) {
      const { code, inputs, stdout } = await run(['redrive', action, 'r'], [running]);
      expect([code, inputs[0]?.action, inputs[0]?.runId]).toEqual([0, action, 'r']);
      expect(stdout).toContain('run r: running, 3 given back');
    }
  });
});
