// A resume without effects: a consumer takes up what it is owed as known. Nothing of it is reacted to, whatever live traffic and
// crashes do meanwhile, and everything after it is.

import { describe, expect, it } from '@jest/globals';
import { composeReplay } from '../../../lib/recovery/replay/compose.ts';
import { createDeath, mortal } from '../../support/death.ts';
import { TABLES } from '../../support/small-system.ts';
import { ats, type Bench, createBench } from './support.ts';

const PASS = { mode: 'resume', consumer: 'second', suppressEffects: true };

/** A live consumer with history, and a new one beside it. */
async function withNewConsumer(effects: 'transactional' | 'idempotent' = 'idempotent'): Promise<Bench> {
  const bench = await createBench({ effects });
  await bench.fill({ 'order-1': ['Placed', 'Other', 'Placed'], 'order-2': 2 });
  await bench.add('second');
  return bench;
}

describe.each(['idempotent', 'transactional'] as const)('a resume without effects of a new %s consumer', (effects) => {
  it('takes the history up without a react; what comes later is delivered as new', async () => {
    const bench = await withNewConsumer(effects);
    const { plan } = await bench.plan(PASS);
    expect(plan).toMatchObject({ totals: { streams: 2, events: 4, expectedRepeats: 0 } });
    expect(plan?.blastRadius.join('\n')).toContain('their effects never happen');
    const { replay } = await bench.go(PASS);
    expect(replay).toMatchObject({ status: 'done', rows: { done: 2, failed: 0 }, events: { done: 4 } });
    expect(bench.take('second')).toEqual([]);
    expect(await bench.system.checkpoint('second', 'order-1')).toMatchObject({ version: 3, passedTo: 3 });
    await bench.system.append('order-1', ['Placed']);
    await bench.system.settle();
    expect(bench.take('second')).toEqual([{ consumer: 'second', at: 'order-1@4' }]);
    await bench.expectProved();
  });

  it('that dies at any request has no effect either, and ends as if nothing had happened', async () => {
    let deaths = 0;
    for (const when of ['before', 'after'] as const) {
      for (let nth = 1; nth < 80; nth += 1) {
        const bench = await withNewConsumer(effects);
        const death = createDeath();
        const { deployment, wakeUps, logger, metrics, world } = bench.deps;
        const dynamo = mortal(bench.system.dynamo, death);
        const own = composeReplay({ dynamo, ...TABLES, deployment, wakeUps, logger, metrics, world });
        const { plan } = await bench.plan(PASS);
        death.arm(nth, when);
        const start = { action: 'start', planId: plan?.id, dryRun: false };
        await bench.ask(start, undefined, own).catch(() => undefined);
        if (death.disarm()) break;
        deaths += 1;
        bench.system.clock.advance(70_000);
        await bench.ask(start);
        await bench.finish();
        const status = await bench.ask({ action: 'status', replayId: plan?.id });
        expect(status).toMatchObject({ result: 'done', replay: { rows: { done: 2, failed: 0 } } });
        expect(bench.take('second')).toEqual([]);
        await bench.expectProved();
      }
    }
    expect(deaths).toBeGreaterThan(15);
  });
});

describe('a resume without effects', () => {
  it('is asked for on the checkpoint: a live event that comes before its wake-up does not bring the history with it', async () => {
    const bench = await withNewConsumer();
    const { send } = bench.deps.wakeUps;
    bench.deps.wakeUps = { send: () => Promise.reject(new Error('died')) };
    await expect(bench.go(PASS)).rejects.toThrow('died');
    bench.deps.wakeUps = { send };
    await bench.system.append('order-1', ['Placed']);
    await bench.system.settle();
    expect(ats(bench.take('second'))).toEqual(['order-1@4']);
    const gaps = (await bench.system.items('Recovery')).filter(({ pk }) => pk === 'gap#second');
    expect(gaps).toMatchObject([
      { sk: 'order-1', from: 1, to: 3, reason: 'replay' },
      { sk: 'order-2', from: 1, to: 2, reason: 'replay' },
    ]);
    await bench.finish();
    expect(bench.take('second')).toEqual([]);
    await bench.expectProved();
  });

  it('passes what was selected and nothing behind it', async () => {
    const bench = await withNewConsumer();
    await bench.go({ ...PASS, selection: { streamId: 'order-1', toPosition: 2 } });
    await bench.system.append('order-1', ['Placed']);
    await bench.system.settle();
    expect(ats(bench.take('second'))).toEqual(['order-1@3', 'order-1@4']);
    await bench.go(PASS);
    expect(bench.take('second')).toEqual([]);
    await bench.expectProved();
  });

  it('of a consumer that starts now begins at its start, and the verification agrees', async () => {
    const bench = await createBench();
    await bench.fill({ 'order-1': 2 });
    await bench.add('second', { startFrom: 'now' });
    await bench.system.append('order-1', ['Placed', 'Placed']);
    await bench.system.settle((_entry, consumer) => consumer === 'second');
    const { replay } = await bench.go(PASS);
    expect(replay).toMatchObject({ status: 'done', rows: { done: 1, failed: 0 }, events: { done: 2 } });
    await bench.system.append('order-1', ['Placed']);
    await bench.system.settle();
    expect(ats(bench.take('second'))).toEqual(['order-1@5']);
    await bench.expectProved();
  });

  it('that is cancelled leaves every checkpoint valid, and what it did not reach is delivered with its effects', async () => {
    const bench = await withNewConsumer();
    const slow = { ...PASS, ratePerSecond: 0.1 };
    const { replay } = await bench.go(slow);
    expect(replay).toMatchObject({ status: 'running', rows: { all: 2, given: 1 } });
    await bench.ask({ action: 'cancel', replayId: replay?.id });
    await bench.system.settle();
    await bench.go({ ...PASS, suppressEffects: false });
    expect(ats(bench.take('second'))).toEqual(['order-2@1', 'order-2@2']);
    await bench.expectProved();
  });

  it('lets an earlier rewind repeat its events with their effects first, and passes what was never delivered', async () => {
    const bench = await createBench();
    await bench.fill({ 'order-1': 2 });
    await bench.system.append('order-1', ['Placed']);
    await bench.system.settle(() => true);
    bench.take();
    const key = { consumer: 'inventory', streamId: 'order-1' } as never;
    await bench.system.checkpoints.requestRewind(key, { to: 0, requestId: 'r', requestedAt: 0 } as never);
    await bench.go({ ...PASS, consumer: 'inventory' });
    await bench.finish();
    expect(ats(bench.take())).toEqual(['order-1@1', 'order-1@2']);
    expect(await bench.system.checkpoint('inventory', 'order-1')).toMatchObject({ version: 3, passedTo: 3 });
    await bench.expectProved();
  });

  it('does not pass a dead letter that comes before its request', async () => {
    const bench = await createBench();
    bench.poison.add('order-1@1');
    await bench.system.append('order-1', ['Placed', 'Placed']);
    await bench.system.settle(() => true);
    const progress = bench.deps.replays.begin;
    bench.deps.replays.begin = async (...input) => {
      const message = { format: 1, kind: 'wake-up', consumer: 'inventory', streamId: 'order-1', version: 2, hops: 0 };
      const wake = { message: { ...message, reason: 'gap' } as never };
      await bench.system.wakeUps.send(bench.system.queueUrlOf('inventory'), [wake]);
      await bench.system.settle();
      return progress(...input);
    };
    const { replay } = await bench.go({ ...PASS, consumer: 'inventory', maxFailureRate: 1 });
    expect(replay).toMatchObject({ rows: { failed: 1 }, failures: [{ why: 'parked behind version 1' }] });
    expect(await bench.system.checkpoint('inventory', 'order-1')).toMatchObject({ version: 0, parked: { version: 1 } });
    await bench.expectProved({ parked: 1 });
  });

  it.each(['redeliver', 'fill'])('is what mode %s refuses', async (mode) => {
    const bench = await withNewConsumer();
    await expect(bench.plan({ ...PASS, mode })).rejects.toMatchObject({ code: 'NOTHING_TO_SUPPRESS' });
  });
});
