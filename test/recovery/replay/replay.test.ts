import { beforeEach, describe, expect, it } from '@jest/globals';
import { ats, type Bench, createBench } from './support.ts';

let bench: Bench;
beforeEach(async () => {
  bench = await createBench();
});

describe('a rewind', () => {
  it('reacts to everything once more, in order, and react sees the replay', async () => {
    await bench.fill({ 'order-1': ['Placed', 'Other', 'Paid'], 'order-2': 2 });
    bench.take();
    const answer = await bench.go();
    expect(answer).toMatchObject({
      result: 'done',
      replay: {
        status: 'done',
        rows: { all: 2, given: 2, done: 2, failed: 0 },
        events: { all: 4, done: 4 },
        percent: 100,
      },
    });
    const again = bench.take();
    expect(ats(again).filter((at) => at.startsWith('order-1'))).toEqual(['order-1@1', 'order-1@3']);
    expect(ats(again).filter((at) => at.startsWith('order-2'))).toEqual(['order-2@1', 'order-2@2']);
    expect(again.every(({ replay }) => replay?.mode === 'rewind' && replay.id === answer.replay?.id)).toBe(true);
    expect(await bench.system.checkpoint('inventory', 'order-1')).toMatchObject({ version: 3, generation: 2 });
    await bench.expectProved();
  });

  it('begins at the first selected event of each stream and leaves other streams and consumers alone', async () => {
    await bench.add('billing');
    await bench.fill({ 'order-1': 4, 'order-2': 3 });
    bench.take();
    bench.take('billing');
    await bench.go({ selection: { streamId: 'order-1', fromPosition: 3 } });
    expect(ats(bench.take())).toEqual(['order-1@3', 'order-1@4']);
    expect(bench.take('billing')).toEqual([]);
    await bench.expectProved();
  });

  it('moves through without an effect when these are suppressed, and delivers what is new', async () => {
    await bench.fill({ 'order-1': 3 });
    bench.take();
    await bench.go({ suppressEffects: true });
    await bench.system.append('order-1', ['Placed']);
    await bench.system.settle();
    expect(bench.take()).toMatchObject([{ at: 'order-1@4' }]);
    expect(await bench.system.checkpoint('inventory', 'order-1')).toMatchObject({ version: 4, generation: 2 });
    await bench.expectProved();
  });

  it('takes parked streams with it', async () => {
    bench.poison.add('order-1@2');
    await bench.fill({ 'order-1': 3 });
    bench.poison.clear();
    bench.take();
    expect((await bench.go()).replay).toMatchObject({ rows: { done: 1, failed: 0 } });
    await bench.system.settle();
    expect(ats(bench.take())).toEqual(['order-1@1', 'order-1@2', 'order-1@3']);
    await bench.expectProved({ parked: 0 });
  });

  it('leaves an open-gap row when it dies between the request and the wake-up', async () => {
    await bench.fill({ 'order-1': 3 });
    bench.take();
    const { send } = bench.deps.wakeUps;
    bench.deps.wakeUps = { send: () => Promise.reject(new Error('died')) };
    await expect(bench.go()).rejects.toThrow('died');
    bench.deps.wakeUps = { send };
    expect(await bench.system.checkpoint('inventory', 'order-1')).toMatchObject({ version: 3, rewind: { to: 0 } });
    const rows = (await bench.system.items('Recovery')).filter(({ pk }) => pk === 'gap#inventory');
    expect(rows).toMatchObject([{ sk: 'order-1', from: 1, to: 3, reason: 'rewind' }]);
    await bench.finish();
    expect(ats(bench.take())).toEqual(['order-1@1', 'order-1@2', 'order-1@3']);
    await bench.expectProved();
  });
});

describe('a resume', () => {
  it('builds a new consumer from event 1 beside the live one while events keep coming', async () => {
    await bench.fill({ 'order-1': 3, 'order-2': 2 });
    await bench.add('second');
    let coming = 4;
    bench.onPause(async () => {
      if (coming-- > 0) await bench.system.append('order-1', ['Placed']);
      await bench.system.settle();
    });
    const answer = await bench.go({ mode: 'resume', consumer: 'second', ratePerSecond: 2 });
    expect(answer).toMatchObject({ result: 'done', replay: { events: { all: 5, done: 5 } } });
    for (let round = 0; round < 3; round++) await bench.system.settle();
    expect([...ats(bench.take('second'))].sort()).toEqual([...ats(bench.take('inventory'))].sort());
    await bench.expectProved();
  });

  it('delivers what never arrived, in order', async () => {
    await bench.system.append('order-1', ['Placed', 'Placed']);
    await bench.system.append('order-2', ['Placed']);
    await bench.system.settle(() => true);
    expect((await bench.go({ mode: 'resume' })).replay).toMatchObject({ rows: { all: 2, done: 2 } });
    expect(ats(bench.take()).sort()).toEqual(['order-1@1', 'order-1@2', 'order-2@1']);
    await bench.expectProved();
  });

  it('lets react see that it is a replay, and of what comes later that it is none', async () => {
    await bench.system.append('order-1', ['Placed', 'Paid']);
    await bench.system.settle(() => true);
    const { replay } = await bench.go({ mode: 'resume' });
    await bench.fill({ 'order-1': 1 });
    const resumed = { replay: { mode: 'resume', id: replay?.id } };
    expect(bench.take()).toEqual([
      { consumer: 'inventory', at: 'order-1@1', ...resumed },
      { consumer: 'inventory', at: 'order-1@2', ...resumed },
      { consumer: 'inventory', at: 'order-1@3' },
    ]);
  });

  it('sends a wake-up again that was lost', async () => {
    await bench.system.append('order-1', ['Placed']);
    await bench.system.settle(() => true);
    let losses = 2;
    bench.onPause(async () => {
      if (losses-- > 0) bench.system.purge('inventory');
      await bench.system.settle();
    });
    expect((await bench.go({ mode: 'resume' })).replay).toMatchObject({ status: 'running' });
    await bench.finish();
    expect(ats(bench.take())).toEqual(['order-1@1']);
  });
});

describe('the schedule', () => {
  it('comes to every replay in its turn, however many there are', async () => {
    await bench.fill({ 'order-1': 1 });
    const names = Array.from({ length: 14 }, (_, index) => `reader-${String(index).padStart(2, '0')}`);
    for (const name of names) await bench.add(name);
    bench.onPause(async () => undefined);
    const started = new Set<string>();
    for (const consumer of names) {
      const { replay } = await bench.go({ mode: 'resume', consumer, ratePerSecond: 0.1 });
      started.add(replay?.id as string);
    }
    const worked = new Set<string>();
    for (let turn = 0; turn < 2; turn += 1) {
      const { replays = [] } = await bench.ask({ action: 'continue' }, 20_000);
      for (const { id } of replays) worked.add(id);
    }
    expect(worked).toEqual(started);
  });
});

describe('a redelivery', () => {
  it('delivers the selected events alone, once, and moves no checkpoint', async () => {
    await bench.fill({ 'order-1': ['Placed', 'Paid', 'Placed', 'Paid'] });
    bench.take();
    const before = await bench.system.checkpoint('inventory', 'order-1');
    const answer = await bench.go({ mode: 'redeliver', selection: { eventTypes: ['Paid'] } });
    expect(answer).toMatchObject({ result: 'done', replay: { events: { all: 2, done: 2 } } });
    expect(bench.take()).toMatchObject([
      { at: 'order-1@2', replay: { mode: 'redeliver' } },
      { at: 'order-1@4', replay: { mode: 'redeliver' } },
    ]);
    const { version, generation, resolvedDigest } = before ?? {};
    expect(await bench.system.checkpoint('inventory', 'order-1')).toMatchObject({
      version,
      generation,
      resolvedDigest,
    });
    await bench.expectProved();
  });

  it('keeps the order of a long stream over its messages', async () => {
    await bench.fill({ 'order-1': 250 });
    bench.take();
    expect(await bench.go({ mode: 'redeliver' })).toMatchObject({
      result: 'done',
      replay: { rows: { all: 3, done: 3 } },
    });
    expect(ats(bench.take())).toEqual(Array.from({ length: 250 }, (_, index) => `order-1@${index + 1}`));
  });

  it('of a long stream goes on behind an event that fails, and only the part with that event has failed', async () => {
    await bench.fill({ 'order-1': 450, 'order-2': 60 });
    bench.take();
    bench.poison.add('order-1@3');
    const { replay } = await bench.go({ mode: 'redeliver', maxFailureRate: 0.5 });
    expect(replay).toMatchObject({ status: 'done', rows: { all: 6, done: 5, failed: 1 }, events: { done: 410 } });
    expect(replay?.failures).toEqual([{ streamId: 'order-1', why: '1 events of the stream failed again' }]);
    expect(bench.take()).toHaveLength(509);
  });

  it('ends when an event of it ends the consumer each time, however often that takes the lease', async () => {
    await bench.fill({ 'order-1': 2 });
    bench.take();
    const { checkpoints } = bench.system;
    // The function takes the lease and dies; its message is gone, its lease is over when the replay looks.
    bench.onPause(async () => {
      bench.system.purge('inventory');
      const key = { consumer: 'inventory', streamId: 'order-1' } as never;
      const taken = await checkpoints.get(key);
      await bench.system.dynamo.update({
        TableName: 'Checkpoints',
        Key: { pk: 'inventory#order-1', sk: 'checkpoint' },
        UpdateExpression: 'SET #updatedAt = :now, #token = :token',
        ExpressionAttributeNames: { '#updatedAt': 'updatedAt', '#token': 'token' },
        ExpressionAttributeValues: { ':now': bench.system.clock.now(), ':token': (taken?.token ?? 0) + 1 },
      });
    });
    let answer = await bench.go({ mode: 'redeliver' });
    for (let minute = 0; minute < 40 && answer.replay?.status !== 'done'; minute += 1) {
      await bench.ask({ action: 'continue' });
      answer = await bench.ask({ action: 'status', replayId: answer.replay?.id });
    }
    expect(answer.replay).toMatchObject({
      status: 'done',
      rows: { failed: 1 },
      failures: [{ why: 'nothing was heard of it for 15 minutes' }],
    });
    expect(bench.take()).toEqual([]);
  });

  it('says which streams failed again', async () => {
    await bench.fill({ 'order-1': 2, 'order-2': 1 });
    bench.take();
    bench.poison.add('order-1@2');
    const answer = await bench.go({ mode: 'redeliver' });
    expect(answer).toMatchObject({
      result: 'done',
      replay: {
        rows: { done: 1, failed: 1 },
        failures: [{ streamId: 'order-1', why: '1 events of the stream failed again' }],
      },
    });
    expect(ats(bench.take())).toEqual(['order-1@1', 'order-2@1']);
  });
});

describe('a fill', () => {
  it('delivers what the open gaps of a consumer owe', async () => {
    await bench.system.append('order-1', ['Placed', 'Placed']);
    await bench.system.settle(() => true);
    const gap = { consumer: 'inventory', streamId: 'order-1', from: 1, to: 2, reason: 'scan' } as never;
    await bench.system.dynamo.transactWrite({ TransactItems: [bench.deps.openGaps.openWrite(gap, 0)] });
    expect(await bench.go({ mode: 'fill', selection: {} })).toMatchObject({
      result: 'done',
      replay: { events: { done: 2 } },
    });
    expect(ats(bench.take())).toEqual(['order-1@1', 'order-1@2']);
  });
});

describe('the rate', () => {
  it('is kept: streams are given as their events allow', async () => {
    await bench.fill(Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`order-${index}`, 1])));
    const startedAt = bench.system.clock.now();
    const answer = await bench.go({ mode: 'redeliver', ratePerSecond: 2 });
    expect(answer.result).not.toBe('stopped');
    await bench.finish();
    // 30 events at 2 a second; the first second's burst is free, and the last rows may follow at once.
    expect(bench.system.clock.now() - startedAt).toBeGreaterThanOrEqual(14_000);
    expect(bench.take().filter(({ replay }) => replay)).toHaveLength(30);
  });

  it('leaves at most a window of streams without an end', async () => {
    await bench.fill(Object.fromEntries(Array.from({ length: 130 }, (_, index) => [`order-${index}`, 1])));
    let [most, last] = [0, 0];
    // The consumer is slow: it works when nothing more is given to it.
    bench.onPause(async () => {
      const queued = bench.system.queued('inventory').length;
      if (queued === last) await bench.system.settle();
      last = queued;
      most = Math.max(most, queued);
    });
    expect((await bench.go({ mode: 'redeliver' })).result).toBe('done');
    expect(most).toBe(100);
  });
});

describe('an operator', () => {
  beforeEach(() => bench.fill(Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`order-${index}`, 1]))));

  /** A replay of which at least one step is given and at least one is not. */
  const half = async (): Promise<string> => {
    bench.take();
    bench.onPause(async () => undefined);
    const { replay } = await bench.ask(
      {
        action: 'start',
        mode: 'rewind',
        consumer: 'inventory',
        selection: { everything: true },
        ratePerSecond: 10,
        dryRun: false,
      },
      6_500,
    );
    bench.onPause(() => bench.system.settle());
    expect(replay).toMatchObject({ status: 'running' });
    expect(replay?.rows.given).toBeGreaterThan(3);
    expect(replay?.rows.given).toBeLessThan(40);
    return replay?.id as string;
  };

  it('pauses and resumes it, and nothing is given meanwhile', async () => {
    const id = await half();
    const paused = await bench.ask({ action: 'pause', replayId: id, requestedBy: 'anna', reason: 'lunch' });
    expect(paused).toMatchObject({ result: 'paused', replay: { note: 'pause by anna: lunch' } });
    await bench.finish();
    expect(bench.take()).toHaveLength(paused.replay?.rows.given as number);
    const resumed = await bench.ask({ action: 'resume', replayId: id });
    expect(resumed.result).toMatch(/running|done/);
    await bench.finish();
    expect(await bench.ask({ action: 'status', replayId: id })).toMatchObject({
      result: 'done',
      replay: { percent: 100 },
    });
    await bench.expectProved();
  });

  it('cancels it, and every checkpoint stays valid', async () => {
    const id = await half();
    const cancelled = await bench.ask({ action: 'cancel', replayId: id });
    expect(cancelled).toMatchObject({ result: 'cancelled', replay: { finishedAt: expect.any(Number) } });
    await bench.system.settle();
    await bench.system.settle();
    // What was given is finished, what was not is as it was.
    expect(bench.take()).toHaveLength(cancelled.replay?.rows.given as number);
    await bench.expectProved();
    const checkpoints = await Promise.all(
      Array.from({ length: 40 }, (_, index) => bench.system.checkpoint('inventory', `order-${index}`)),
    );
    expect(checkpoints.every((one) => one?.version === 1 && one.rewind === undefined)).toBe(true);
    expect(checkpoints.filter((one) => one?.generation === 2)).toHaveLength(cancelled.replay?.rows.given as number);
    // The consumer's place is free again.
    expect((await bench.go({ selection: { streamId: 'order-39' } })).result).toBe('done');
  });

  it('can change nothing about one that is finished', async () => {
    const { replay } = await bench.go();
    for (const action of ['pause', 'resume', 'cancel']) {
      expect(await bench.ask({ action, replayId: replay?.id })).toMatchObject({ result: 'done' });
    }
  });

  it('finds those that are not finished, and each of them by its id', async () => {
    const id = await half();
    expect(await bench.ask({ action: 'status' })).toMatchObject({ replays: [{ id, status: 'running' }] });
    expect(await bench.ask({ action: 'status', consumer: 'billing' })).toMatchObject({ replays: [] });
    const { replay } = await bench.ask({ action: 'status', replayId: id });
    expect(replay?.etaSeconds).toBeGreaterThan(0);
  });

  it('reads in the audit who asked for what, why, and what came of it', async () => {
    const id = await half();
    await bench.ask({ action: 'cancel', replayId: id, requestedBy: 'anna', reason: 'wrong consumer' });
    const audit = (await bench.system.items('Recovery')).filter(({ pk }) => String(pk).startsWith('audit#'));
    expect(audit).toMatchObject([
      { action: 'replay-rewind', outcome: { replayId: id, events: 40 } },
      { action: 'replay-cancel', requestedBy: 'anna', reason: 'wrong consumer', outcome: { changed: true } },
    ]);
  });
});

describe('failures', () => {
  it('stop a replay above the limit, and it goes on when it is resumed', async () => {
    const streams = Array.from({ length: 60 }, (_, index) => `order-${String(index).padStart(2, '0')}`);
    await bench.fill(Object.fromEntries(streams.map((stream) => [stream, 1])));
    bench.take();
    for (const stream of streams.slice(0, 30)) bench.poison.add(`${stream}@1`);
    const stopped = await bench.go({ mode: 'redeliver', ratePerSecond: 20, maxFailureRate: 0.2 });
    expect(stopped).toMatchObject({
      result: 'stopped',
      replay: { note: expect.stringContaining('more than the limit of 0.2') },
    });
    expect(stopped.replay?.rows.given).toBeLessThan(60);
    bench.poison.clear();
    await bench.ask({ action: 'resume', replayId: stopped.replay?.id });
    await bench.finish();
    const { replay } = await bench.ask({ action: 'status', replayId: stopped.replay?.id });
    expect(replay).toMatchObject({ status: 'done', rows: { all: 60, given: 60 } });
    expect(replay?.rows.failed).toBeGreaterThanOrEqual(10);
    expect(replay?.failures).toHaveLength(10);
  });

  it('count a stream that parks', async () => {
    await bench.fill({ 'order-1': 2, 'order-2': 1 });
    bench.poison.add('order-1@2');
    expect((await bench.go()).replay).toMatchObject({
      rows: { done: 1, failed: 1 },
      failures: [{ streamId: 'order-1', why: 'parked behind version 2' }],
    });
    await bench.expectProved({ parked: 1 });
  });
});

describe('a plan', () => {
  beforeEach(() => bench.fill({ 'order-1': 2, 'order-2': 1 }));

  it('is only looked at unless it is told to be applied', async () => {
    bench.take();
    const planned = await bench.plan();
    expect(planned).toMatchObject({
      result: 'planned',
      plan: { totals: { streams: 2, events: 3, expectedRepeats: 3 } },
      streams: [{ streamId: 'order-1', from: 1, to: 2 }, { streamId: 'order-2' }],
      next: `{ "action": "start", "planId": "${planned.plan?.id}", "dryRun": false }`,
    });
    expect(await bench.ask({ action: 'start', planId: planned.plan?.id })).toMatchObject({ result: 'would' });
    expect(await bench.go({ dryRun: undefined })).toMatchObject({ result: 'would' });
    await bench.finish();
    expect(bench.take()).toEqual([]);
  });

  it('is applied as it is, once, and the same request again is answered alike', async () => {
    const { plan } = await bench.plan({ selection: { streamId: 'order-1' } });
    bench.take();
    const start = { action: 'start', planId: plan?.id, dryRun: false };
    expect(await bench.ask(start)).toMatchObject({ result: 'done', replay: { id: plan?.id } });
    expect(await bench.ask(start)).toMatchObject({ result: 'done', replay: { id: plan?.id } });
    expect(ats(bench.take())).toEqual(['order-1@1', 'order-1@2']);
  });

  it('is refused when what it was made from has changed, unless it is made again', async () => {
    const { plan } = await bench.plan();
    await bench.fill({ 'order-2': 1 });
    bench.take();
    const start = { action: 'start', planId: plan?.id, dryRun: false };
    await expect(bench.ask(start)).rejects.toMatchObject({ code: 'PLAN_STALE' });
    expect(bench.take()).toEqual([]);
    const again = await bench.ask({ ...start, replan: true });
    expect(again).toMatchObject({ result: 'done', replay: { events: { all: 4 } } });
    expect(again.replay?.id).not.toBe(plan?.id);
  });

  it('that means nothing says so and starts nothing', async () => {
    const answer = await bench.go({ selection: { streamId: 'nobody' } });
    expect(answer.result).toBe('nothing');
    expect(await bench.ask({ action: 'status' })).toMatchObject({ replays: [] });
  });
});

describe('bad input', () => {
  beforeEach(() => bench.fill({ 'order-1': 2 }));

  it('is a second replay of one consumer', async () => {
    bench.onPause(async () => undefined);
    const first = await bench.ask(
      { action: 'start', mode: 'rewind', consumer: 'inventory', selection: { everything: true }, dryRun: false },
      6_500,
    );
    await expect(bench.go({ mode: 'redeliver' })).rejects.toMatchObject({
      code: 'REPLAY_RUNNING',
      facts: { replayId: first.replay?.id },
    });
    bench.onPause(() => bench.system.settle());
    await bench.finish();
    expect((await bench.go({ mode: 'redeliver' })).result).toBe('done');
  });

  it.each([
    ['an unknown action', { action: 'reset' }, 'INVALID_INPUT'],
    ['no mode and no plan', { action: 'start' }, 'INVALID_INPUT'],
    ['a mode and a plan', { action: 'start', planId: 'p', mode: 'rewind', consumer: 'inventory' }, 'INVALID_INPUT'],
    ['an unknown field', { action: 'status', id: 'x' }, 'INVALID_INPUT'],
    ['no consumer', { action: 'start', mode: 'rewind', selection: { everything: true } }, 'INVALID_INPUT'],
    ['a rate of zero', { action: 'plan', mode: 'rewind', consumer: 'inventory', ratePerSecond: 0 }, 'INVALID_INPUT'],
    ['an unknown plan', { action: 'start', planId: 'nobody', dryRun: false }, 'UNKNOWN_PLAN'],
    ['an unknown replay', { action: 'status', replayId: 'nobody' }, 'UNKNOWN_REPLAY'],
    ['an unknown replay to cancel', { action: 'cancel', replayId: 'nobody' }, 'UNKNOWN_REPLAY'],
    [
      'an unknown consumer',
      { action: 'plan', mode: 'resume', consumer: 'x', selection: { everything: true } },
      'UNKNOWN_CONSUMER',
    ],
  ])('is refused with its code, and nothing is written: %s', async (_what, input, code) => {
    const before = await bench.system.items('Recovery');
    await expect(bench.ask(input)).rejects.toMatchObject({ code });
    expect(await bench.system.items('Recovery')).toEqual(before);
  });

  it('is a plan of another deployment', async () => {
    const { plan } = await bench.plan();
    const there = { ...bench.deps, deployment: 'there' };
    await expect(
      bench.ask({ action: 'start', planId: plan?.id, dryRun: false }, undefined, there),
    ).rejects.toMatchObject({ code: 'PLAN_OF_ANOTHER_DEPLOYMENT' });
  });
});
