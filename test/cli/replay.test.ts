import { describe, expect, it } from '@jest/globals';
import { checkReplayRequest } from '../../lib/recovery/replay/request.ts';
import { createBench } from '../recovery/replay/support.ts';
import { runCommands } from './run-commands.ts';

/** The real operation behind the program: a small system whose function is called with what the program sends. */
async function createOperator() {
  const bench = await createBench();
  await bench.fill({ 'order-1': 3, 'order-2': 2 });
  bench.take();
  const run = async (...argv: string[]) => {
    const inputs: Record<string, unknown>[] = [];
    const ended = await runCommands(argv, (name, sent) => {
      expect(name).toBe('replay-events');
      inputs.push(sent as Record<string, unknown>);
      return bench.ask(sent as never);
    });
    return { ...ended, inputs };
  };
  return { bench, run };
}

const REWIND = ['--mode', 'rewind', '--consumer', 'inventory', '--everything', '--rate', '10000'];

describe('event-recovery plan', () => {
  it('says what would happen and the command that does it', async () => {
    const { bench, run } = await createOperator();
    const { code, stdout } = await run('plan', ...REWIND);
    expect(code).toBe(0);
    expect(stdout).toContain('5 events of 2 streams');
    expect(stdout).toContain('5 events will be reacted to again');
    const next = /npx event-recovery (replay start --plan \S+ --apply)/.exec(stdout.replaceAll('\u001b[22m', ''))?.[1];
    expect(bench.take()).toEqual([]);
    expect(await run('--yes', ...(next as string).split(' '))).toMatchObject({ code: 0 });
    expect(bench.take()).toHaveLength(5);
  });

  it('sends every option as the function takes it', async () => {
    const { run } = await createOperator();
    const { inputs, code, stderr } = await run(
      ...['plan', '--mode', 'redeliver', '--consumer', 'inventory', '--stream-prefix', 'order-'],
      ...[
        '--type',
        'Placed',
        'Paid',
        '--from-position',
        '1',
        '--to-position',
        '4',
        '--from-time',
        '2020-01-01T00:00:00Z',
      ],
      ...['--to-time', '2030-01-01T00:00:00Z', '--rate', '5', '--max-failure-rate', '0.5', '--reason', 'why not'],
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(checkReplayRequest(inputs[0])).toMatchObject({
      selection: {
        streamPrefix: 'order-',
        eventTypes: ['Placed', 'Paid'],
        fromPosition: 1,
        toPosition: 4,
        fromTimeMs: Date.UTC(2020, 0),
        toTimeMs: Date.UTC(2030, 0),
      },
      ratePerSecond: 5,
      maxFailureRate: 0.5,
      reason: 'why not',
    });
  });

  it('prints exactly one document with --json', async () => {
    const { run } = await createOperator();
    const { stdout } = await run('--json', 'plan', ...REWIND);
    expect(JSON.parse(stdout)).toMatchObject({ result: 'planned', plan: { totals: { events: 5 } } });
  });
});

describe('event-recovery replay', () => {
  it('only says what it would do unless told to apply, and applies only what was agreed to', async () => {
    const { bench, run } = await createOperator();
    expect(await run('replay', 'start', ...REWIND)).toMatchObject({ code: 0, inputs: [{ dryRun: true }] });
    const refused = await run('--no-input', 'replay', 'start', ...REWIND, '--apply');
    expect([refused.code, refused.inputs.length]).toEqual([3, 1]);
    expect(refused.stderr).toContain('CONFIRMATION_REQUIRED');
    expect(bench.take()).toEqual([]);
    const done = await run('--yes', 'replay', 'start', ...REWIND, '--apply');
    expect(done).toMatchObject({ code: 0, inputs: [{ dryRun: true }, { dryRun: false, planId: expect.any(String) }] });
    expect(done.stdout).toContain('100 %: 2 of 2 rows done, 0 failed, 5 of 5 events');
    expect(bench.take()).toHaveLength(5);
  });

  it('exits with 1 when streams failed, and says where to look', async () => {
    const { bench, run } = await createOperator();
    bench.poison.add('order-1@2');
    const { code, stdout } = await run('--yes', 'replay', 'start', ...REWIND, '--apply');
    expect(code).toBe(1);
    expect(stdout).toContain('failed: order-1: parked behind version 2');
    expect(stdout).toContain('npx event-recovery dead-letters');
  });

  it('follows, pauses, resumes and cancels', async () => {
    const { bench, run } = await createOperator();
    bench.onPause(async () => undefined);
    const begun = await bench.ask(
      { action: 'start', mode: 'rewind', consumer: 'inventory', selection: { everything: true }, dryRun: false },
      6_000,
    );
    const id = begun.replay?.id as string;
    expect((await run('replay', 'status')).stdout).toContain(`replay ${id}: rewind of inventory, running`);
    const paused = await run('replay', 'pause', id, '--reason', 'lunch');
    expect(paused.stdout).toMatch(/paused \(pause by .*: lunch\)/);
    expect(paused.stdout).toContain(`npx event-recovery replay resume ${id}`);
    expect((await run('replay', 'cancel', id)).stdout).toContain('cancelled');
    expect((await run('replay', 'status')).stdout).toContain('No replay is unfinished');
  });

  it('answers a stale plan with "refused" and bad input with "usage"', async () => {
    const { bench, run } = await createOperator();
    const { plan } = await bench.plan();
    await bench.fill({ 'order-1': 1 });
    const stale = await run('--yes', 'replay', 'start', '--plan', plan?.id as string, '--apply');
    expect(stale).toMatchObject({ code: 3, stderr: expect.stringContaining('PLAN_STALE') });
    for (const argv of [
      ['plan', '--mode', 'rewind', '--consumer', 'inventory'],
      ['plan', ...REWIND, '--rate', 'fast'],
      ['plan', '--mode', 'rewind', '--consumer', 'nobody', '--everything'],
      ['plan', '--mode', 'rewind', '--consumer', 'inventory', '--from-time', 'yesterday'],
      ['replay', 'cancel', 'nobody'],
      ['replay', 'start', '--apply'],
    ]) {
      expect(await run(...argv)).toMatchObject({ code: 2 });
    }
  });
});
