// What a recovery overwrites, somebody has approved: a rewind (which repeats effects) and a restore.

import { beforeEach, describe, expect, it } from '@jest/globals';
import { createRecovery, type Recovery } from './support.ts';

const WHO = { requestedBy: 'anna', reason: 'test' };
const REWIND = {
  actions: ['replay'],
  replay: { mode: 'rewind', consumer: 'billing', selection: { everything: true } },
  ...WHO,
};
let recovery: Recovery;

beforeEach(async () => {
  recovery = await createRecovery();
  await recovery.bench.fill({ 'order-1': 2 });
  recovery.system.clock.advance(120_000);
});

const failure = (input: unknown): Promise<unknown> =>
  recovery.run(input).then(
    () => 'succeeded',
    (error: { name?: string; cause?: { name?: string } }) => error.cause?.name ?? error.name,
  );
const approve = (id: string) => recovery.decide({ decision: 'approve', id, requestedBy: 'berta' });

describe('an approval', () => {
  it('is asked for with what would be done and the exact commands, before anything is overwritten', async () => {
    let effects = 0;
    recovery.onAsked((id) => {
      effects = recovery.bench.effectsDone.length;
      return approve(id);
    });
    await recovery.run(REWIND);
    expect(effects).toBe(2);
    expect(recovery.bench.effectsDone).toEqual(['order-1@1', 'order-1@2', 'order-1@1', 'order-1@2']);
    const [message] = recovery.asks as { Message: string }[];
    expect(JSON.parse(message?.Message ?? '')).toMatchObject({
      what: ['replay: plan: 2 events of 1 streams, 2 of them again'],
      requestedBy: 'anna',
      approve: expect.stringMatching(/^npx event-recovery approve recovery-1 --question \S+$/),
      refuse: expect.stringMatching(/^npx event-recovery refuse recovery-1 --question \S+$/),
    });
    const report = recovery.report();
    expect(report).toMatchObject({ result: 'recovered', after: { ok: true } });
    expect(report.steps.map(({ name }) => name)).toEqual([
      'Diagnose',
      'Replay',
      'AskApproval',
      'Replay',
      'VerifyConsistency',
    ]);
    expect(report.steps[2]?.summary).toContain('approved by berta');
    await recovery.bench.expectProved({ resolved: 2 });
  });

  it('holds for the selection: what a live consumer did meanwhile is planned anew', async () => {
    recovery.onAsked(async (id) => {
      await recovery.system.append('order-1', ['Placed']);
      await recovery.system.settle();
      return approve(id);
    });
    await recovery.run(REWIND);
    expect(recovery.bench.effectsDone).toEqual([1, 2, 3, 1, 2, 3].map((version) => `order-1@${version}`));
    expect(recovery.asks).toHaveLength(1);
    expect(recovery.report()).toMatchObject({ result: 'recovered', after: { ok: true } });
    await recovery.bench.expectProved({ resolved: 3 });
  });

  it('that is refused changes nothing, is reported, audited, and gives the leases back', async () => {
    recovery.onAsked((id) => recovery.decide({ decision: 'refuse', id, requestedBy: 'berta', reason: 'not today' }));
    expect(await failure(REWIND)).toBe('ApprovalRefused');
    expect(recovery.bench.effectsDone).toHaveLength(2);
    expect(recovery.report()).toMatchObject({ result: 'refused' });
    expect(recovery.report().steps.at(-1)).toMatchObject({ outcome: 'refused', summary: 'refused by berta' });
    const month = new Date(recovery.system.clock.now()).toISOString().slice(0, 7);
    const [entry] = await recovery.bench.audit.list(month, 1);
    expect(entry).toMatchObject({ action: 'refuse', requestedBy: 'berta', reason: 'not today' });
    await recovery.run({ actions: ['fill-gaps'] }, 'recovery-2');
  });

  it('that never comes ends in a failure of its own, with the leases given back; deciding later is refused', async () => {
    recovery.onAsked(() => recovery.giveUpWaiting());
    expect(await failure(REWIND)).toBe('ApprovalTimedOut');
    expect(recovery.report()).toMatchObject({ result: 'refused' });
    expect(recovery.report().steps.at(-1)?.summary).toBe('nobody answered in time');
    await expect(approve('recovery-1')).rejects.toMatchObject({ code: 'APPROVAL_EXPIRED' });
    expect(recovery.bench.effectsDone).toHaveLength(2);
    await recovery.run({ actions: ['fill-gaps'] }, 'recovery-2');
  });

  it('is taken once: the same answer again is fine, the other one is refused, an unknown recovery too', async () => {
    const answers: unknown[] = [];
    recovery.onAsked(async (id) => {
      answers.push(await approve(id), await approve(id));
      answers.push(await recovery.decide({ decision: 'refuse', id, requestedBy: 'carl' }).catch((error) => error.code));
    });
    await recovery.run(REWIND);
    expect(answers).toEqual([
      expect.objectContaining({ decidedBy: 'berta' }),
      expect.objectContaining({ decidedBy: 'berta' }),
      'APPROVAL_DECIDED',
    ]);
    await expect(approve('recovery-9')).rejects.toMatchObject({ code: 'APPROVAL_UNKNOWN' });
    await expect(recovery.decide({ decision: 'maybe', id: 'recovery-1', requestedBy: 'x' })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
  });

  it('that was given while the question was asked anew reaches the task that waits now', async () => {
    const { AskApproval } = recovery.handlers;
    let tries = 0;
    recovery.handlers.AskApproval = (async (input: never) => {
      tries += 1;
      const waiting = AskApproval(input);
      if (tries > 1) return waiting;
      // The message went out and was answered; then the function failed, and the workflow asks with another token.
      await waiting;
      throw Object.assign(new Error('the answer of the function was lost'), { name: 'Lambda.ServiceException' });
    }) as never;
    recovery.onAsked(approve);
    await recovery.run(REWIND);
    expect(tries).toBe(2);
    expect(recovery.asks).toHaveLength(1);
    expect(recovery.report()).toMatchObject({ result: 'recovered' });
  });

  it('is asked for by a redelivery, too: it repeats effects', async () => {
    let effects = 0;
    recovery.onAsked((id) => {
      effects = recovery.bench.effectsDone.length;
      return approve(id);
    });
    await recovery.run({ ...REWIND, replay: { ...REWIND.replay, mode: 'redeliver' } });
    expect([recovery.asks.length, effects, recovery.bench.effectsDone.length]).toEqual([1, 2, 4]);
    expect(recovery.report()).toMatchObject({ result: 'recovered' });
  });

  it('is not asked for by a resume, which overwrites nothing', async () => {
    await recovery.system.append('order-2', ['Placed']);
    await recovery.system.settle(() => true);
    recovery.system.clock.advance(120_000);
    await recovery.run({ actions: ['resume'], consumers: ['billing'], ...WHO });
    expect(recovery.asks).toEqual([]);
    expect(recovery.bench.effectsDone).toEqual(['order-1@1', 'order-1@2', 'order-2@1']);
    expect(recovery.states).toContain('ResumeFromCheckpoint');
    expect(recovery.report()).toMatchObject({ result: 'recovered' });
  });

  it('plans and asks nobody in a dry run', async () => {
    await recovery.run({ ...REWIND, dryRun: true });
    expect(recovery.asks).toEqual([]);
    expect(recovery.bench.effectsDone).toHaveLength(2);
    expect(recovery.report()).toMatchObject({ result: 'proposed' });
    expect(recovery.report().steps.at(-1)).toMatchObject({ name: 'Replay' });
  });
});

describe('a restore', () => {
  const totals = { streams: 1, inserts: 0, overwrites: 1, removals: 0, forks: 0, written: 0, notFound: 0, stale: 0 };
  const said = (result: string, more: object = {}) => ({
    result,
    planId: 'plan-1',
    source: 'archive',
    needsApproval: true,
    totals: { ...totals, ...more },
  });
  const calls: unknown[] = [];

  beforeEach(() => {
    calls.length = 0;
  });

  const answering = (...answers: object[]): void => {
    recovery.handlers.Restore = async (input: unknown) => {
      calls.push(input);
      return answers.shift();
    };
  };

  it('is planned, approved, applied with the name of who approved, and followed to its end', async () => {
    recovery.onAsked(approve);
    answering(said('planned'), said('writing'), said('done', { written: 1 }));
    await recovery.run({ actions: ['restore'], restore: { streams: ['order-1'] }, ...WHO });
    expect(calls).toEqual([
      { action: 'plan', streams: ['order-1'], ...WHO, brief: true },
      { action: 'apply', planId: 'plan-1', approvedBy: 'berta', ...WHO, brief: true },
      { action: 'status', planId: 'plan-1', brief: true },
    ]);
    expect(recovery.report()).toMatchObject({ result: 'recovered' });
  });

  it('looks in the backups for what the archive does not have', async () => {
    recovery.onAsked(approve);
    answering(said('planned'), said('done', { notFound: 1 }), { ...said('nothing'), source: 'point-in-time' });
    await recovery.run({ actions: ['restore'], ...WHO });
    expect(calls.at(-1)).toEqual({ action: 'plan', source: 'point-in-time', ...WHO, brief: true });
  });

  it('asks again for a second plan, and an answer to the first is none to the second', async () => {
    const refusals: unknown[] = [];
    let questions = 0;
    recovery.onAsked(async (id) => {
      questions += 1;
      if (questions === 1) return approve(id);
      const late = { decision: 'approve', id, question: 'plan-1', requestedBy: 'carl' };
      refusals.push(await recovery.decide(late).catch((error) => error.code));
      return recovery.decide({ decision: 'approve', id, question: 'plan-2', requestedBy: 'dora' });
    });
    const second = { planId: 'plan-2', source: 'point-in-time' };
    answering(
      said('planned'),
      said('done', { notFound: 1 }),
      { ...said('planned'), ...second },
      { ...said('done', { written: 1 }), ...second },
    );
    await recovery.run({ actions: ['restore'], ...WHO });
    expect(refusals).toEqual(['APPROVAL_OTHER_QUESTION']);
    expect(calls.at(-1)).toMatchObject({ action: 'apply', planId: 'plan-2', approvedBy: 'dora' });
    expect(recovery.asks).toHaveLength(2);
    expect(recovery.report()).toMatchObject({ result: 'recovered' });
  });

  it('that leaves streams unrepaired is no success, and says how many', async () => {
    recovery.onAsked(approve);
    answering(said('planned'), said('done', { stale: 1, failed: 2 }));
    expect(await failure({ actions: ['restore'], ...WHO })).toBe('RepairFailed');
    expect(recovery.report().steps.at(-1)).toMatchObject({
      name: 'Restore',
      outcome: 'failed',
      summary: expect.stringMatching(/1 changed since, 2 failed/),
    });
  });

  it('that is refused by its function ends as RepairFailed and says why', async () => {
    answering({ error: { code: 'UNKNOWN_STREAM', message: 'no such stream' } });
    expect(await failure({ actions: ['restore'], ...WHO })).toBe('RepairFailed');
    expect(recovery.report().steps.at(-1)).toMatchObject({
      name: 'Restore',
      outcome: 'failed',
      summary: expect.stringContaining('UNKNOWN_STREAM'),
    });
  });
});
