// `event-recovery restore` and `archive`: a plan by default, never an overwrite without a yes and a name, exit codes for scripts.

import { describe, expect, it } from '@jest/globals';
import { checkRestoreRequest } from '../../lib/recovery/restore/request.ts';
import { runCommands } from './run-commands.ts';

const totals = {
  streams: 1,
  inserts: 2,
  overwrites: 1,
  removals: 0,
  forks: 1,
  unsequenced: 0,
  written: 0,
  done: 0,
  notFound: 0,
  stale: 0,
  failed: 0,
  conflicting: 0,
  checkpointsBeyond: 0,
};
const change = { version: 4, action: 'overwrite', seenDigest: 'd', seenHash: 'abc', expectedHash: 'def', isFork: true };
const stream = {
  streamId: 'order-1',
  status: 'planned',
  inserts: 2,
  changes: [change],
  changesInAll: 1,
  forks: [],
  forksInAll: 0,
  unsequenced: 0,
  written: 0,
};
const planned = {
  result: 'planned',
  planId: 'plan-1',
  source: 'archive',
  needsApproval: true,
  totals,
  listed: [stream],
  truncated: false,
};
const done = { ...planned, result: 'done', totals: { ...totals, done: 1, written: 3 } };

async function run(argv: string[], answers: object[], expectedFunction = 'restore-commits') {
  const inputs: Record<string, unknown>[] = [];
  const ended = await runCommands(argv, (name, sent) => {
    expect(name).toBe(expectedFunction);
    // As the function checks it.
    if (name === 'restore-commits') checkRestoreRequest(sent);
    inputs.push(sent as Record<string, unknown>);
    return answers[inputs.length - 1];
  });
  return { ...ended, inputs };
}

describe('event-recovery restore', () => {
  it('plans: shows what would be overwritten and the next command', async () => {
    const { code, inputs, stdout } = await run(['restore', 'plan', '--stream', 'order-1', 'order-2'], [planned]);
    expect(code).toBe(1);
    expect(inputs).toMatchObject([{ action: 'plan', streams: ['order-1', 'order-2'], source: 'archive' }]);
    expect(stdout).toContain('overwrite order-1@4: found abc, the log has def; its events are appended again');
    expect(stdout).toContain('npx event-recovery restore apply plan-1 --approved-by <name>');
  });

  it('takes the streams of the findings, and a time, and says when nothing is wrong', async () => {
    const time = '2026-11-25T17:00:00Z';
    const argv = ['restore', 'plan', '--source', 'point-in-time', '--to', time];
    const { code, inputs, stdout } = await run(argv, [{ ...planned, result: 'nothing' }]);
    expect(code).toBe(0);
    expect(inputs).toMatchObject([{ source: 'point-in-time', restoreTo: Date.parse(time) }]);
    expect(inputs[0]).not.toHaveProperty('streams');
    expect(stdout).toContain('nothing that a restore can repair');
  });

  it('refuses a time that it cannot read, and asks nobody', async () => {
    const { code, inputs, stderr } = await run(['restore', 'plan', '--to', 'yesterday'], []);
    expect(code).toBe(2);
    expect(inputs).toEqual([]);
    expect(stderr).toContain('INVALID_TIME');
  });

  it('applies nothing without a yes', async () => {
    const { code, inputs } = await run(['restore', 'apply', 'plan-1', '--no-input'], [planned]);
    expect(code).toBe(3);
    expect(inputs.map(({ action }) => action)).toEqual(['status']);
  });

  it('applies with a yes and the name of whoever agreed', async () => {
    const argv = ['restore', 'apply', 'plan-1', '--approved-by', 'berta', '--yes', '--reason', 'damage'];
    const { code, inputs, stdout } = await run(argv, [planned, done]);
    expect(code).toBe(0);
    expect(inputs[1]).toMatchObject({ action: 'apply', planId: 'plan-1', approvedBy: 'berta', reason: 'damage' });
    expect(stdout).toContain('1 of 1 streams repaired');
  });

  it('shows all changes of one stream, and says where the others are when it does not', async () => {
    const changes = Array.from({ length: 60 }, (_, index) => ({ ...change, version: index + 1 }));
    const long = { ...stream, changes, changesInAll: 60 };
    const whole = await run(['restore', 'status', 'plan-1', '--stream', 'order-1'], [{ ...planned, listed: [long] }]);
    expect(whole.inputs).toEqual([{ action: 'status', planId: 'plan-1', stream: 'order-1' }]);
    expect(whole.stdout.match(/order-1@/g)).toHaveLength(60);
    expect(whole.stdout).not.toContain('--stream <id>');
    const two = { ...planned, totals: { ...totals, streams: 2 }, moreDamaged: true };
    const cut = await run(['restore', 'plan'], [{ ...two, listed: [long, { ...stream, streamId: 'order-2' }] }]);
    expect(cut.stdout).toContain('more: npx event-recovery restore status plan-1 --stream <id>');
    expect(cut.stdout).toContain('plan again');
  });

  it('lists what is left to humans, and closes it with a reason', async () => {
    const incident = {
      kind: 'events-set-aside',
      streamId: 'order-1',
      version: 5,
      detail: 'kept',
      foundBy: 'x',
      foundAt: 1,
    };
    const listed = await run(['restore', 'incidents'], [{ result: 'incidents', open: [incident], truncated: false }]);
    expect(listed.code).toBe(1);
    expect(listed.stdout).toContain('events-set-aside order-1@5: kept');
    const settled = await run(
      ['restore', 'settle', 'order-1', '--reason', 'done by hand'],
      [{ result: 'settled', closed: 1, open: [] }],
    );
    expect(settled.code).toBe(0);
    expect(settled.inputs).toMatchObject([{ action: 'settle', stream: 'order-1', reason: 'done by hand' }]);
    expect(settled.stdout).toContain('1 closed');
    expect((await run(['restore', 'settle', 'order-1'], [])).code).toBe(2);
  });

  it('goes on with a restore that is under way without asking again', async () => {
    const { inputs, stdout } = await run(
      ['restore', 'apply', 'plan-1'],
      [
        { ...planned, result: 'fetching' },
        { ...planned, result: 'fetching' },
      ],
    );
    expect(inputs.map(({ action }) => action)).toEqual(['status', 'apply']);
    expect(stdout).toContain('npx event-recovery restore status plan-1');
  });

  it.each([
    [{ notFound: 1 }, 'npx event-recovery restore plan --source point-in-time'],
    [{ stale: 1 }, 'npx event-recovery restore plan'],
    [{ failed: 1 }, 'npx event-recovery restore apply plan-1'],
  ])('ends with 1 and the next command when %j', async (more, next) => {
    const { code, stdout } = await run(
      ['restore', 'status', 'plan-1'],
      [{ ...done, totals: { ...done.totals, ...more } }],
    );
    expect(code).toBe(1);
    expect(stdout).toContain(next);
  });

  it('prints one JSON document with --json', async () => {
    const { stdout } = await run(['restore', 'status', 'plan-1', '--json'], [done]);
    expect(JSON.parse(stdout)).toEqual(done);
  });
});

describe('event-recovery archive', () => {
  const healthy = { result: 'waiting', coveredTo: 1_000, lagSeconds: 60, failures: 0 };
  it.each([
    [healthy, 0],
    [{ ...healthy, failures: 2, lastFailure: 'no key' }, 1],
    [{ ...healthy, lagSeconds: 100_000 }, 1],
    [{ result: 'waiting', failures: 0 }, 1],
  ])('status of %j ends with %d', async (answer, expected) => {
    const { code, inputs } = await run(['archive', 'status'], [answer], 'archive-events');
    expect(code).toBe(expected);
    expect(inputs).toEqual([{ action: 'status' }]);
  });

  it('asks for a full export now', async () => {
    const { code, inputs } = await run(['archive', 'export', '--reason', 'risky work'], [healthy], 'archive-events');
    expect(code).toBe(0);
    expect(inputs).toMatchObject([{ action: 'export', reason: 'risky work' }]);
  });
});
