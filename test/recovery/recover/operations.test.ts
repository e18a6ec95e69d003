import { describe, expect, it } from '@jest/globals';
import type { Job } from '../../../lib/recovery/recover/jobs.ts';
import { answered, callOf } from '../../../lib/recovery/recover/operations.ts';

const WHO = { requestedBy: 'anna', reason: 'test' };
const following: Job = { repair: 'replay', phase: 'follow', request: {}, operationId: 'r1' };
const said = (failed: number) => ({
  result: 'done',
  replay: { id: 'r1', status: 'done', percent: 100, events: { all: 3, done: 3 - failed }, rows: { all: 3, failed } },
});

describe('a job that begins', () => {
  const starting: Job = { repair: 'resume', phase: 'start', request: { consumer: 'billing' } };
  const running = { error: { code: 'REPLAY_RUNNING', message: 'it runs', facts: { replayId: 'r9' } } };
  const theirs = (status: string) => ({
    result: status,
    replay: { id: 'r9', status, percent: 50, events: { all: 3, done: 1 }, rows: { all: 3, failed: 0 } },
  });

  it('follows a replay of its consumer that is under way, and begins when that has ended', () => {
    const following = answered(starting, running, false, 1);
    expect(following).toMatchObject({ phase: 'follow', operationId: 'r9' });
    expect(callOf(following, WHO)).toEqual({ action: 'status', replayId: 'r9', brief: true });
    expect(answered(following, theirs('running'), false, 2).phase).toBe('follow');
    for (const end of ['done', 'cancelled']) {
      const again = answered(following, theirs(end), false, 3);
      expect(again).toMatchObject({ phase: 'start' });
      expect(again.failure).toBeUndefined();
      expect(callOf(again, WHO)).toMatchObject({ action: 'start', mode: 'resume', consumer: 'billing' });
      expect(answered(again, { result: 'nothing' }, false, 4)).toMatchObject({ phase: 'ended' });
    }
  });

  it('fails when that was stopped: its place stays taken, and a person decides', () => {
    const following = answered(starting, running, false, 1);
    expect(answered(following, theirs('stopped'), false, 2)).toMatchObject({
      phase: 'ended',
      failure: { code: 'REPLAY_STOPPED' },
    });
  });

  it('does not wait for another replay when it is one that was planned itself', () => {
    const planned: Job = { repair: 'replay', phase: 'start', request: {}, operationId: 'plan-1' };
    expect(answered(planned, running, false, 1)).toMatchObject({ phase: 'ended', failure: { code: 'REPLAY_RUNNING' } });
  });

  it('plans once more when its plan went stale, and fails when that does not help', () => {
    const planned: Job = { repair: 'replay', phase: 'start', request: {}, operationId: 'plan-1', approvedBy: 'anna' };
    const stale = { error: { code: 'PLAN_STALE', message: 'stream "a" was at version 3' } };
    const again = answered(planned, stale, false, 1);
    expect(callOf(again, WHO)).toMatchObject({ action: 'start', planId: 'plan-1', replan: true, dryRun: false });
    expect(answered(again, stale, false, 2)).toMatchObject({ phase: 'ended', failure: { code: 'PLAN_STALE' } });
  });
});

describe('what a replay says to its recovery', () => {
  it('is a failure when a part of the replay failed, though all of it was tried', () => {
    const job = answered(following, said(2), false, 1_000);
    expect(job).toMatchObject({ phase: 'ended', failure: { code: 'REPLAY_ROWS_FAILED' } });
  });

  it('is no failure when every part was delivered', () => {
    const job = answered(following, said(0), false, 1_000);
    expect(job.phase).toBe('ended');
    expect(job.failure).toBeUndefined();
  });
});
