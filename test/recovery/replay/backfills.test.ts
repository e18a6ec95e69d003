// A changed subscription: types that were added later get their history by themselves, each event of it once, and then apply
// from the consumer's beginning.

import { beforeEach, describe, expect, it } from '@jest/globals';
import { ats, type Bench, createBench } from './support.ts';

let bench: Bench;
const WITH_OTHER = { eventTypes: ['Placed', 'Paid', 'Other'] };
const registered = () => bench.system.registry.get('inventory' as never);

describe.each(['idempotent', 'transactional'] as const)('an event type that is added to a %s consumer', (effects) => {
  beforeEach(async () => {
    bench = await createBench({ effects });
  });

  const historyOf = async (): Promise<string[]> =>
    effects === 'idempotent'
      ? ats(bench.take()).filter((at) => at.startsWith('o'))
      : Object.keys(await bench.committed());

  it('has its history delivered by the schedule, marked as a replay, and applies from the beginning then', async () => {
    await bench.fill({ 'order-1': ['Placed', 'Other', 'Placed'], 'other-1': ['Other', 'Other'] });
    bench.take();
    await bench.add('inventory', WITH_OTHER);
    await bench.fill({ 'order-1': ['Other'] });
    expect(bench.take()).toEqual([{ consumer: 'inventory', at: 'order-1@4' }]);
    await bench.finish();
    const again = bench.take();
    expect(ats(again)).toEqual(['order-1@2', 'other-1@1', 'other-1@2']);
    expect(again.every(({ replay }) => replay?.mode === 'redeliver')).toBe(true);
    expect(await registered()).not.toHaveProperty('backfill');
    expect((await registered())?.eventTypes).toMatchObject({ Other: 0 });
    await bench.finish();
    expect(bench.take()).toEqual([]);
    await bench.expectProved();
  });

  it('reaches streams that lag behind: they catch up first, and nothing of them is delivered twice', async () => {
    await bench.system.append('order-1', ['Placed', 'Other', 'Placed']);
    await bench.system.settle(() => true);
    await bench.add('inventory', WITH_OTHER);
    await bench.finish();
    expect(ats(bench.take())).toEqual(['order-1@1', 'order-1@2']);
    // What was lost after the history is not the backfill's.
    await bench.go({ mode: 'resume' });
    expect(ats(bench.take())).toEqual(['order-1@3']);
    expect(await registered()).not.toHaveProperty('backfill');
    await bench.expectProved();
  });

  it('waits for a stream behind a dead letter, without delivering the others again', async () => {
    bench.poison.add('order-1@1');
    await bench.fill({ 'order-1': ['Placed', 'Other'], 'order-2': ['Placed', 'Other'] });
    bench.take();
    await bench.add('inventory', WITH_OTHER);
    await bench.finish();
    expect(ats(bench.take())).toEqual(['order-2@2']);
    expect(await registered()).toHaveProperty('backfill');

    bench.poison.clear();
    const parked = await bench.system.checkpoint('inventory', 'order-1');
    const { deadLetterId = '' } = parked?.parked ?? {};
    await bench.system.dynamo.transactWrite({
      TransactItems: [bench.system.checkpoints.unparkWrite(parked as never, deadLetterId, 0)],
    });
    await bench.system.wakeUps.send(bench.system.queueUrlOf('inventory'), [
      {
        message: {
          format: 1,
          kind: 'wake-up',
          consumer: 'inventory',
          streamId: 'order-1',
          version: 2,
          hops: 0,
          reason: 'redrive',
        },
      },
    ]);
    await bench.system.settle();
    expect(ats(bench.take())).toEqual(['order-1@1']);
    bench.system.clock.advance(20 * 60_000);
    await bench.finish();
    const again = ats(bench.take());
    if (effects === 'idempotent') expect(again).toEqual(['order-1@2']);
    expect(again).toContain('order-1@2');
    expect(await registered()).not.toHaveProperty('backfill');
    if (effects === 'transactional') {
      expect(await bench.committed()).toEqual({ 'order-1@1': 1, 'order-1@2': 1, 'order-2@1': 1, 'order-2@2': 1 });
    }
  });

  it('is part of a rewind afterwards, also for a function that was warm before', async () => {
    await bench.fill({ 'order-1': ['Placed', 'Other', 'Placed'] });
    await bench.add('inventory', WITH_OTHER);
    // Now the function knows the registry as it was: the history of Other is not its business.
    await bench.fill({ 'order-2': ['Placed', 'Other'] });
    await bench.finish();
    bench.take();
    await bench.go({ selection: { streamId: 'order-1' } });
    expect(ats(bench.take())).toEqual(['order-1@1', 'order-1@2', 'order-1@3']);
    await bench.expectProved();
  });

  it('is complete when an event of its history fails: that one is a dead letter, which a redrive gives again', async () => {
    await bench.fill({ 'order-1': ['Placed', 'Other', 'Other'] });
    bench.take();
    bench.poison.add('order-1@2');
    await bench.add('inventory', WITH_OTHER);
    await bench.finish();
    expect(ats(bench.take())).toEqual(['order-1@3']);
    expect(await registered()).not.toHaveProperty('backfill');
    const rows = await bench.system.items('DeadLetters');
    expect(rows).toMatchObject([{ status: 'skipped', streamId: 'order-1', version: 2 }]);
    bench.system.clock.advance(60 * 60_000);
    await bench.finish();
    expect(bench.take()).toEqual([]);
  });

  it('is begun once by two schedules at once', async () => {
    await bench.fill({ 'order-1': ['Placed', 'Other'] });
    bench.take();
    await bench.add('inventory', WITH_OTHER);
    await Promise.all([bench.ask({ action: 'continue' }), bench.ask({ action: 'continue' })]);
    await bench.finish();
    expect((await historyOf()).filter((at) => at === 'order-1@2')).toHaveLength(1);
    expect(await registered()).not.toHaveProperty('backfill');
  });

  it('applies without its history being delivered, when its effects are suppressed', async () => {
    await bench.fill({ 'order-1': ['Placed', 'Other', 'Other'], 'other-1': ['Other'] });
    bench.take();
    await bench.add('inventory', WITH_OTHER);
    const { replay } = await bench.go({ mode: 'backfill', selection: {}, suppressEffects: true });
    expect(replay).toMatchObject({ status: 'done', rows: { all: 2, done: 2 }, events: { done: 3 } });
    expect(bench.take()).toEqual([]);
    expect(await registered()).not.toHaveProperty('backfill');
    // A verification demands no effects of it.
    expect(await bench.system.checkpoint('inventory', 'order-1')).toMatchObject({ passedTo: 3 });
    await bench.finish();
    await bench.fill({ 'order-1': ['Other'] });
    expect(bench.take()).toEqual([{ consumer: 'inventory', at: 'order-1@4' }]);
    await bench.expectProved();
  });

  it('that has no history is complete at once', async () => {
    await bench.fill({ 'order-1': 1 });
    bench.take();
    await bench.add('inventory', WITH_OTHER);
    expect(await registered()).toHaveProperty('backfill');
    await bench.ask({ action: 'continue' });
    expect(await registered()).not.toHaveProperty('backfill');
    expect(bench.take()).toEqual([]);
  });
});
