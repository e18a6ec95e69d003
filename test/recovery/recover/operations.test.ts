import { describe, expect, it } from '@jest/globals';
import type { Job } from '../../../lib/recovery/recover/jobs.ts';
import { answered, callOf } from '../../../lib/recovery/recover/operations.ts';

const WHO = { requestedBy: 'anna', reason: 'test' };
const following: Job = { repair: 'replay', phase: 'follow', request: {}, operationId: 'r1' };
const said = (failed: number) => ({
  result: 'done',
  replay: { id: 'r1', status: 'done', percent: 100, events: { all: 3, done: 3 - failed }, rows: { all: 3, failed } },
});

describe('a redrive that is done with its first answer', () => {
  const starting: Job = { repair: 'redrive', phase: 'start', request: { selection: { consumer: 'billing' } } };
  const run = { id: 'run-1', status: 'done', done: 1 };

  it('has begun, so that what it un-parked is waited for', () => {
    const answer = { result: 'done', count: 1, exhausted: 0, runs: [run] };
    expect(answered(starting, answer, false, 5)).toMatchObject({ phase: 'ended', startedAt: 5 });
  });

  it('has not when there was nothing to give back, or when it only should say what it would do', () => {
    const nothing = answered(starting, { result: 'nothing', count: 0, exhausted: 0, runs: [] }, false, 5);
    const would = answered(starting, { result: 'would', count: 3, exhausted: 0, runs: [] }, true, 5);
    for (const job of [nothing, would]) {
      expect(job.phase).toBe('ended');
      expect(job.startedAt).toBeUndefined();
    }
  });
});

describe('a replay that finds nothing when it is started', () => {
  it('has not begun: nobody fills gaps for it that nobody asked for', () => {
    const starting: Job = { repair: 'resume', phase: 'start', request: { consumer: 'billing' } };
    const totals = { streams: 0, events: 0, expectedRepeats: 0 };
    const job = answered(starting, { result: 'nothing', plan: { id: 'plan-1', mode: 'resume', totals } }, false, 5);
    expect(job.phase).toBe('ended');
    expect(job.startedAt).toBeUndefined();
  });
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

  describe('whose plan goes stale', () => {
    const stale = { error: { code: 'PLAN_STALE', message: 'stream "a" was at version 3' } };
    const plan = (id: string, expectedRepeats: number, streams = 1) => ({
      result: 'planned',
      plan: { id, mode: 'rewind', totals: { streams, events: expectedRepeats, expectedRepeats } },
    });
    const approved = (job: Job): Job => ({ ...job, phase: 'start', approvedBy: 'anna' });
    const asking = answered({ repair: 'replay', phase: 'plan', request: {} }, plan('plan-1', 1_000), false, 1);
    const again = answered(approved(asking), stale, false, 2);

    it('plans again, and begins with what was agreed to', () => {
      expect(asking).toMatchObject({ phase: 'ask', operationId: 'plan-1' });
      expect(again).toMatchObject({ phase: 'plan', approvedBy: 'anna' });
      expect(callOf(again, WHO)).toMatchObject({ action: 'plan' });
      const begins = answered(again, plan('plan-2', 1_100), false, 3);
      expect(begins).toMatchObject({ phase: 'start', approvedBy: 'anna' });
      expect(callOf(begins, WHO)).toMatchObject({ action: 'start', planId: 'plan-2', replan: true, dryRun: false });
      expect(answered(begins, stale, false, 4)).toMatchObject({ phase: 'ended', failure: { code: 'PLAN_STALE' } });
    });

    it.each([
      ['more events', plan('plan-2', 1_101)],
      ['more streams', plan('plan-2', 1_000, 102)],
    ])('asks again, without the old agreement, when the new one repeats more: %s', (_what, more) => {
      const open = answered(again, more, false, 3);
      expect(open).toMatchObject({ phase: 'ask', operationId: 'plan-2', asks: 2 });
      expect(open.approvedBy).toBeUndefined();
      // The second agreement is about the second plan.
      const second = answered(answered(approved(open), stale, false, 4), more, false, 5);
      expect(second).toMatchObject({ phase: 'start', operationId: 'plan-2' });
    });

    it('asks three times at most', () => {
      let job: Job = asking;
      for (let asks = 1; job.phase === 'ask'; asks++) {
        job = answered(answered(approved(job), stale, false, asks), plan(`plan-${asks}`, 10_000 * asks), false, asks);
      }
      expect(job).toMatchObject({ phase: 'ended', asks: 3, failure: { code: 'APPROVAL_OUTGROWN' } });
    });

    it('asks for the first time when only the new one repeats anything', () => {
      const nothing = { ...plan('plan-1', 0), plan: { ...plan('plan-1', 0).plan, mode: 'redeliver' } };
      const free = answered({ repair: 'replay', phase: 'plan', request: {} }, nothing, false, 1);
      expect(free.phase).toBe('start');
      const once = answered(answered(free, stale, false, 2), plan('plan-2', 1), false, 3);
      expect(once).toMatchObject({ phase: 'ask', operationId: 'plan-2', asks: 1 });
    });
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
