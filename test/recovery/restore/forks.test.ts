// Commits that somebody was told are stored and that had to make way: whatever happens meanwhile, each of their events is in the
// stream once, or a human is told where it is kept.

import { describe, expect, it } from '@jest/globals';
import { type Bench, createBench } from './support.ts';

const event = (id: string) => ({ id, type: 'Placed', data: { id } });
const events = (ids: string[]) => ids.map(event);

/** Runs something once, before or after the nth write of the restore. */
function createMoment() {
  let at: { nth: number; when: 'before' | 'after'; action: () => Promise<unknown> } | undefined;
  const run = async (when: 'before' | 'after') => {
    if (at === undefined || at.when !== when) return;
    at.nth -= 1;
    if (at.nth > 0) return;
    const { action } = at;
    at = undefined;
    await action();
  };
  return {
    set: (nth: number, when: 'before' | 'after', action: () => Promise<unknown>) => {
      at = { nth, when, action };
    },
    isOver: () => at === undefined,
    async around<T>(what: string, call: () => Promise<T>): Promise<T> {
      if (!what.startsWith('dynamo transactWrite')) return call();
      await run('before');
      const answer = await call();
      await run('after');
      return answer;
    },
  };
}

/** Three commits on top of a lost tail: they stand at 4, 6 and 7; the log knows 1 to 6. */
async function cutOff(bench: Bench): Promise<void> {
  await bench.fill({ a: 6, b: 3 });
  await bench.archive();
  await bench.remove('a', 4, 5, 6);
  await bench.appendAt('a', 4, events(['new-a', 'new-b']));
  await bench.appendAt('a', 6, events(['new-c']), (await bench.item('a', 4)).hash);
  await bench.appendAt('a', 7, events(['new-d']));
}
const OLD = [1, 2, 3, 4, 5, 6].map((n) => `a-${n}`);
const FORKS = ['new-a', 'new-b', 'new-c', 'new-d'];

describe('an append on a fork while it makes way', () => {
  it('follows it, whichever write of the restore it comes before or after', async () => {
    for (const when of ['before', 'after'] as const) {
      let nth = 0;
      for (let isReached = true; isReached; ) {
        nth += 1;
        const moment = createMoment();
        const bench = await createBench({ around: moment.around });
        await cutOff(bench);
        const { planId } = await bench.plan({ streams: ['a'] });
        let isStored = false;
        moment.set(nth, when, async () => {
          const store = bench.deps.openEventStore();
          await store.append('a', events(['late']), 'any').then(
            () => {
              isStored = true;
            },
            () => undefined,
          );
        });
        await bench.apply(planId);
        isReached = moment.isOver();
        const again = await bench.plan({ streams: ['a'] });
        if (again.result !== 'nothing') await bench.apply(again.planId);
        const ids = await bench.idsOf('a');
        expect({ nth, when, ids: ids.slice(0, 6) }).toEqual({ nth, when, ids: OLD });
        const expected = isStored ? [...FORKS, 'late'] : FORKS;
        expect({ nth, when, ids: ids.slice(6).sort() }).toEqual({ nth, when, ids: expected.sort() });
        await bench.system.settle();
        await bench.expectProved();
      }
      expect(nth).toBeGreaterThan(5);
    }
  });

  it('follows it when its producer remembers an end that the stream does not have any more', async () => {
    let followed = 0;
    for (let nth = 1; nth < 20; nth += 1) {
      const moment = createMoment();
      const bench = await createBench({ around: moment.around });
      await cutOff(bench);
      const producer = bench.deps.openEventStore();
      await producer.append('a', events(['of-producer']), 'any');
      const { planId } = await bench.plan({ streams: ['a'] });
      let isStored = false;
      moment.set(nth, 'after', async () => {
        isStored = await producer.append('a', events(['late']), 'any').then(
          () => true,
          () => false,
        );
      });
      const end = await bench.apply(planId);
      expect({ nth, end }).toMatchObject({ end: { result: 'done', totals: { failed: 0, notFound: 0 } } });
      // Before the first look: not what was approved, so nothing was touched.
      if (end.totals.stale > 0) {
        expect(end.totals.written).toBe(0);
        await bench.apply((await bench.plan({ streams: ['a'] })).planId);
      }
      followed += Number(isStored && end.totals.stale === 0);
      const ids = await bench.idsOf('a');
      expect({ nth, ids: ids.slice(0, 6) }).toEqual({ nth, ids: OLD });
      const expected = [...FORKS, 'of-producer', ...(isStored ? ['late'] : [])];
      expect({ nth, ids: ids.slice(6).sort() }).toEqual({ nth, ids: expected.sort() });
      await bench.system.settle();
      await bench.expectProved();
    }
    expect(followed).toBeGreaterThan(5);
  });

  it('follows it on top of rewritten history, after what was there before', async () => {
    let hook: (() => Promise<unknown>) | undefined;
    const bench: Bench = await createBench({
      around: async (_what, call) => {
        const answer = await call();
        if (hook !== undefined && (await bench.item('a', 8)) === undefined) {
          const action = hook;
          hook = undefined;
          await action();
        }
        return answer;
      },
    });
    await bench.fill({ a: 6 });
    await bench.archive();
    await bench.remove('a', 6);
    await bench.appendAt('a', 6, events(['forged']));
    await bench.appendAt('a', 7, events(['acked-7']));
    await bench.appendAt('a', 8, events(['acked-8']));
    // The log does not know the forged commit: a store that remembers no end would refuse to append on it alone.
    const { planId } = await bench.plan({ streams: ['a'] });
    hook = () => bench.deps.openEventStore().append('a', events(['late']), 'any');
    await bench.apply(planId);
    expect((await bench.idsOf('a')).slice(6)).toEqual(['forged', 'acked-7', 'acked-8', 'late']);
  });
});

describe('the events of a fork', () => {
  it('are not doubled when the original was put back below the version of the fork', async () => {
    const bench = await createBench();
    await bench.fill({ a: 6 });
    await bench.archive();
    const four = await bench.item('a', 4);
    await bench.remove('a', 4, 5, 6);
    await bench.appendAt('a', 4, events(['new-a']));
    await bench.appendAt('a', 5, JSON.parse(String(four.events)));
    await bench.appendAt('a', 6, events(['new-b']));
    const done = await bench.apply((await bench.plan({ streams: ['a'] })).planId);
    expect(await bench.idsOf('a')).toEqual([...OLD, 'new-a', 'new-b']);
    expect(done.listed[0]?.forks.map(({ outcome }) => outcome)).toEqual(['appended', 'already-there', 'appended']);
  });

  it('are appended without those that the stream holds already', async () => {
    const bench = await createBench();
    await bench.fill({ a: 6 });
    await bench.archive();
    const six = await bench.item('a', 6);
    await bench.remove('a', 5, 6);
    await bench.appendAt('a', 5, [...JSON.parse(String(six.events)), event('fresh')]);
    const done = await bench.apply((await bench.plan({ streams: ['a'] })).planId);
    expect(done.listed[0]?.forks).toEqual([{ version: 5, count: 2, outcome: 'appended', newVersion: 7 }]);
    expect(await bench.idsOf('a')).toEqual([...OLD, 'fresh']);
  });

  it('whose ids the stream holds with other content are an incident with the key under which they are kept', async () => {
    const bench = await createBench();
    await bench.fill({ a: 6 });
    await bench.archive();
    await bench.remove('a', 5, 6);
    await bench.appendAt('a', 5, [event('a-6'), event('fresh')]);
    const done = await bench.apply((await bench.plan({ streams: ['a'] })).planId);
    const [fork] = done.listed[0]?.forks ?? [];
    expect(fork).toMatchObject({ version: 5, outcome: 'conflicting', key: expect.stringContaining('quarantine/') });
    expect(done.next).toContain('conflicting');
    expect(await bench.openIncidents()).toMatchObject([
      { kind: 'events-set-aside', streamId: 'a', version: 5, detail: expect.stringContaining(String(fork?.key)) },
    ]);
    // The next restore of the stream does not take it for settled.
    await bench.damage('a', 2);
    await bench.apply((await bench.plan({ streams: ['a'] })).planId);
    expect(await bench.openIncidents()).toHaveLength(1);
  });
});

describe('a stream whose forks cannot be appended again', () => {
  async function withoutQuarantine() {
    const bench = await createBench();
    await cutOff(bench);
    await bench.remove('b', 3);
    const { read } = bench.deps.objects;
    const isMissing = (key: string) => key.startsWith('quarantine');
    bench.deps.objects = { ...bench.deps.objects, read: async (key) => (isMissing(key) ? undefined : read(key)) };
    const { planId } = await bench.plan({ streams: ['a', 'b'] });
    const first = await bench.apply(planId);
    bench.deps.objects = { ...bench.deps.objects, read };
    return { bench, planId, first };
  }

  it('fails alone, says why and where they are, and is finished by applying the plan again', async () => {
    const { bench, planId, first } = await withoutQuarantine();
    expect(first).toMatchObject({
      result: 'done',
      totals: { done: 1, failed: 1 },
      next: expect.stringContaining('apply'),
    });
    expect(first.listed[0]).toMatchObject({
      status: 'failed',
      note: expect.stringContaining('QUARANTINE_MISSING'),
      forks: [{ key: expect.any(String) }, {}, {}],
    });
    expect(await bench.idsOf('b')).toEqual(['b-1', 'b-2', 'b-3']);
    expect(await bench.openIncidents()).toMatchObject([{ kind: 'events-set-aside', streamId: 'a' }]);
    const second = await bench.apply(planId);
    expect(second).toMatchObject({ result: 'done', totals: { done: 2, failed: 0 } });
    expect(second.next).toBeUndefined();
    expect(await bench.idsOf('a')).toEqual([...OLD, ...FORKS]);
    expect(await bench.openIncidents()).toEqual([]);
    await bench.system.settle();
    await bench.expectProved();
    expect(await bench.plan({ streams: ['a', 'b'] })).toMatchObject({ result: 'nothing' });
  });

  it('is taken over by the next plan, which appends them and leaves nothing to the one before', async () => {
    const { bench, planId } = await withoutQuarantine();
    await bench.damage('a', 2);
    const plan = await bench.plan({ streams: ['a'] });
    expect(plan).toMatchObject({ result: 'planned', totals: { forks: 3, overwrites: 1 } });
    expect(await bench.apply(plan.planId)).toMatchObject({ result: 'done', totals: { done: 1, failed: 0 } });
    expect(await bench.idsOf('a')).toEqual([...OLD, ...FORKS]);
    await bench.apply(planId);
    expect(await bench.idsOf('a')).toEqual([...OLD, ...FORKS]);
    expect(await bench.openIncidents()).toEqual([]);
  });

  it('keeps them when it is damaged in another way meanwhile, until a plan of that damage is applied', async () => {
    let isArmed = false;
    const bench: Bench = await createBench({
      around: async (_what, call) => {
        const answer = await call();
        if (isArmed && (await bench.item('a', 7)) === undefined) {
          isArmed = false;
          // A fork has been taken away: now something breaks that nobody has approved to overwrite.
          await bench.damage('a', 2);
        }
        return answer;
      },
    });
    await cutOff(bench);
    const { planId } = await bench.plan({ streams: ['a'] });
    isArmed = true;
    const first = await bench.apply(planId);
    expect(first.listed[0]).toMatchObject({ status: 'stale', forks: [{ version: 4 }, { version: 6 }, { version: 7 }] });
    expect(await bench.openIncidents()).toMatchObject([{ kind: 'events-set-aside', streamId: 'a', version: 4 }]);
    const second = await bench.plan({ streams: ['a'] });
    expect(second.totals).toMatchObject({ forks: 3, overwrites: 1 });
    expect(await bench.apply(second.planId)).toMatchObject({ result: 'done', totals: { done: 1, conflicting: 0 } });
    expect(await bench.idsOf('a')).toEqual([...OLD, ...FORKS]);
    expect(await bench.openIncidents()).toEqual([]);
  });
});
