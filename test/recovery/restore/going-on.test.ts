// A restore that cannot go on now, or not at all, is no burden for the others: it waits without holding them up, is tried again,
// ends with a reason when that does not help, and can be cancelled while nothing has been written.

import { describe, expect, it } from '@jest/globals';
import { restore } from '../../../lib/recovery/restore/restore.ts';
import { type Bench, createBench } from './support.ts';

const outage = (name: string) => Object.assign(new Error(`${name} of the test`), { name });
const statusOf = async (bench: Bench, planId?: string) => bench.ask({ action: 'status', planId });
const goOn = (bench: Bench) => bench.ask({ action: 'continue' }) as Promise<unknown>;

/** Damage in two streams; that of `a` is planned from a point in time, that of `b` from the archive. */
async function twoPlans(options: Parameters<typeof createBench>[0] = {}) {
  const bench = await createBench(options);
  await bench.fill({ a: 6, b: 3 });
  await bench.archive();
  await bench.remove('a', 6);
  await bench.remove('b', 3);
  bench.system.clock.advance(5_000);
  const first = await bench.plan({ streams: ['a'], source: 'point-in-time' });
  const second = await bench.plan({ streams: ['b'] });
  return { bench, first: first.planId, second: second.planId };
}

/** Agreed to, but nobody has begun: somebody else holds the lease. */
async function approveOnly(bench: Bench, planId?: string) {
  const { acquire } = bench.deps.leases;
  bench.deps.leases.acquire = async () => ({ kind: 'held', owner: 'x', until: 0 });
  await bench.apply(planId);
  bench.deps.leases.acquire = acquire;
}

describe('a restore whose request fails', () => {
  it('does not keep others from going on, is tried again, and goes on when the cause has passed', async () => {
    const { bench, first, second } = await twoPlans();
    const { restore: begin } = bench.deps.pointInTime;
    bench.deps.pointInTime.restore = async () => {
      throw outage('InternalServerError');
    };
    await expect(bench.apply(first)).rejects.toThrow('InternalServerError');
    await approveOnly(bench, second);
    await expect(goOn(bench)).rejects.toThrow('InternalServerError');
    expect(await statusOf(bench, first)).toMatchObject({ result: 'fetching' });
    expect(await statusOf(bench, second)).toMatchObject({ result: 'done' });
    bench.deps.pointInTime.restore = begin;
    expect(await goOn(bench)).toMatchObject({ restores: [{ result: 'done' }] });
    expect(await bench.idsOf('a')).toHaveLength(6);
  });

  it('fails at last with a reason, drops its side table, and is taken up by another apply', async () => {
    const { bench, first } = await twoPlans();
    const { state } = bench.deps.pointInTime;
    await approveOnly(bench, first);
    bench.deps.pointInTime.state = async (name) => {
      if ((await statusOf(bench, first)).result === 'cleaning') return state(name);
      if (bench.sideTables.size > 0) throw outage('SomethingNew');
      return state(name);
    };
    let tries = 0;
    while ((await statusOf(bench, first)).result === 'fetching' && tries < 100) {
      tries += 1;
      await goOn(bench).catch(() => undefined);
    }
    for (let n = 0; n < 5; n += 1) await goOn(bench);
    const end = await statusOf(bench, first);
    expect(end).toMatchObject({ result: 'failed', note: expect.stringMatching(/^RESTORE_GAVE_UP.*SomethingNew/) });
    expect(tries).toBeGreaterThan(10);
    expect(bench.sideTables.size).toBe(0);
    bench.deps.pointInTime.state = state;
    expect(await bench.apply(first)).toMatchObject({ result: 'done', totals: { done: 1 } });
    expect(await bench.idsOf('a')).toHaveLength(6);
  });

  it('counts its tries anew when it has made progress', async () => {
    const { bench, first } = await twoPlans();
    const { state } = bench.deps.pointInTime;
    let calls = 0;
    bench.deps.pointInTime.state = async (name) => {
      calls += 1;
      if (calls < 30) throw outage('Once');
      if (calls === 30) return 'ready';
      if (calls < 60) throw outage('Twice');
      return state(name);
    };
    bench.deps.pointInTime.restore = async () => undefined;
    await bench.apply(first).catch(() => undefined);
    for (let n = 0; n < 70; n += 1) await goOn(bench).catch(() => undefined);
    expect(calls).toBeGreaterThan(59);
    // The side table was never there: the stream says so, the restore is at its end.
    expect(await statusOf(bench, first)).toMatchObject({ result: 'done', totals: { failed: 1 } });
  });
});

describe('a restore that waits for its side table', () => {
  it('does not keep others from going on', async () => {
    const { bench, first, second } = await twoPlans();
    bench.deps.pointInTime.state = async () => 'creating';
    const timers = { sleep: async (ms: number) => bench.system.clock.advance(ms) };
    bench.deps.world = { ...bench.deps.world, timers };
    const begun = bench.system.clock.now();
    expect(await bench.apply(first)).toMatchObject({ result: 'fetching' });
    expect(bench.system.clock.now() - begun).toBeLessThanOrEqual(10_000);
    await approveOnly(bench, second);
    await goOn(bench);
    expect(await statusOf(bench, second)).toMatchObject({ result: 'done' });
  });

  it('that somebody drops says so for the stream, and makes it again when it is applied again', async () => {
    const { bench, first } = await twoPlans();
    const { state } = bench.deps.pointInTime;
    bench.deps.pointInTime.state = async (name) => {
      const now = await state(name);
      if (now === 'ready') bench.sideTables.delete(name);
      return now;
    };
    const end = await bench.apply(first);
    expect(end.listed[0]).toMatchObject({ status: 'failed', note: expect.stringContaining('SIDE_TABLE_MISSING') });
    bench.deps.pointInTime.state = state;
    expect(await bench.apply(first)).toMatchObject({ result: 'done', totals: { done: 1, failed: 0 } });
    expect(await bench.idsOf('a')).toHaveLength(6);
  });
});

describe('a restore that is cancelled', () => {
  it('while its side table is made drops it, and is not applied any more', async () => {
    const { bench, first } = await twoPlans();
    await approveOnly(bench, first);
    const { state } = bench.deps.pointInTime;
    bench.deps.pointInTime.state = async (name) => ((await state(name)) === 'absent' ? 'absent' : 'creating');
    await goOn(bench);
    expect(bench.sideTables.size).toBe(1);
    bench.deps.pointInTime.state = state;
    expect(await bench.ask({ action: 'cancel', planId: first, requestedBy: 'anna' })).toMatchObject({
      result: 'cleaning',
    });
    await goOn(bench);
    expect(await statusOf(bench, first)).toMatchObject({ result: 'cancelled', note: expect.stringContaining('anna') });
    expect(bench.sideTables.size).toBe(0);
    expect(await bench.idsOf('a')).toHaveLength(5);
    await expect(bench.apply(first)).rejects.toMatchObject({ code: 'PLAN_CANCELLED' });
  });

  it('at any moment either writes nothing and leaves no side table, or ends as it was planned', async () => {
    const ends = new Set<string>();
    for (let nth = 1; nth < 200; nth += 1) {
      let left = nth;
      let hook: (() => Promise<unknown>) | undefined;
      const { bench, first } = await twoPlans({
        around: async (_what, call) => {
          if (hook !== undefined && --left === 0) {
            const action = hook;
            hook = undefined;
            await action();
          }
          return call();
        },
      });
      hook = () => bench.ask({ action: 'cancel', planId: first });
      await bench.apply(first).catch(() => undefined);
      const isReached = hook === undefined;
      hook = undefined;
      for (let n = 0; n < 5; n += 1) await goOn(bench);
      const { result, totals } = await statusOf(bench, first);
      ends.add(result);
      expect({ nth, result, written: totals.written }).toEqual(
        result === 'cancelled' ? { nth, result, written: 0 } : { nth, result: 'done', written: 1 },
      );
      expect({ nth, sideTables: bench.sideTables.size }).toEqual({ nth, sideTables: 0 });
      if (!isReached) break;
    }
    expect([...ends].sort()).toEqual(['cancelled', 'done']);
  });
});

describe('a search through the archive', () => {
  /** An export has four data files. */
  async function archived(options: Parameters<typeof createBench>[0] = {}) {
    const bench = await createBench(options);
    await bench.fill({ a: 3, b: 3, c: 3, d: 3 });
    await bench.archive();
    return bench;
  }

  it('goes on behind the last file that was read, however often it dies', async () => {
    let isArmed = false;
    const reads: string[] = [];
    const bench = await archived({
      around: async (what, call) => {
        if (isArmed && what.endsWith('gz')) {
          reads.push(what);
          if (reads.length % 2 === 0) throw new Error('the function ran out of time');
        }
        return call();
      },
    });
    await bench.archive();
    await bench.damage('a', 2);
    await bench.system.append('late', ['Placed', 'Placed']);
    await bench.system.settle();
    // No export has this one: everything is read.
    await bench.remove('late', 2);
    isArmed = true;
    const { planId } = await bench.plan({ streams: ['a', 'late'] });
    for (let tries = 0; tries < 20; tries += 1) {
      bench.system.clock.advance(700_000);
      await bench.apply(planId).catch(() => undefined);
    }
    expect(new Set(reads).size).toBe(8);
    expect(reads.length).toBeLessThanOrEqual(16);
    expect(await statusOf(bench, planId)).toMatchObject({ result: 'done', totals: { done: 1, notFound: 1 } });
  });

  it('stops between files when the time is over, and reads at least one in each invocation', async () => {
    const bench = await archived();
    await bench.remove('a', 2);
    await bench.remove('d', 2);
    const { planId } = await bench.plan({ streams: ['a', 'd'] });
    const progress: unknown[] = [];
    for (let tries = 0; tries < 10; tries += 1) {
      // Enough to begin, then none is left after the first file.
      let looks = 0;
      const { objects } = bench.deps;
      const { read } = objects;
      bench.deps.objects = {
        ...objects,
        read: (key) => {
          if (key.endsWith('gz')) looks = 1;
          return read(key);
        },
      };
      const time = { remainingMs: () => (looks > 0 ? 1_000 : 600_000), requestId: 'r' };
      const answer = await restore(bench.deps, { action: 'apply', planId, approvedBy: 'berta' }, time);
      bench.deps.objects = objects;
      progress.push((answer as { result: string }).result);
      if ((answer as { result: string }).result === 'done') break;
    }
    expect(await bench.apply(planId)).toMatchObject({ result: 'done', totals: { done: 2 } });
    expect(progress.length).toBeGreaterThan(1);
  });

  it('keeps its order when the damage changes meanwhile', async () => {
    const bench = await createBench();
    const { clock } = bench.system;
    await bench.fill({ a: 3 });
    await bench.archive();
    clock.advance(3_600_000);
    const fromMs = clock.now() - 1_000;
    await bench.fill({ b: 2 });
    await bench.archive({ type: 'INCREMENTAL_EXPORT', fromMs, toMs: clock.now(), view: 'NEW_AND_OLD_IMAGES' });
    const b2 = await bench.item('b', 2);
    await bench.remove('a', 2);
    await bench.remove('b', 2);
    const { planId } = await bench.plan({ streams: ['a', 'b'] });
    for (const looks of [3, 4, 5]) {
      let left = looks;
      const time = { remainingMs: () => (--left > 0 ? 600_000 : 100), requestId: 'r' };
      await restore(bench.deps, { action: 'apply', planId }, time);
    }
    await bench.system.dynamo.put({ TableName: 'Events', Item: { ...b2 } });
    expect((await bench.apply(planId)).totals).toMatchObject({ notFound: 0, done: 2 });
  });
});
