// The restore dies at each of its requests, to the database, the bucket, the side table and the bus, before and after it was
// carried out. Whoever applies the plan again ends where an undisturbed restore ends: nothing lost, nothing doubled.

import { describe, expect, it } from '@jest/globals';
import { hashCommit } from '../../../lib/flow/event-store/hash.ts';
import { directoryKey } from '../../../lib/flow/log/keys.ts';
import type { StoredCommit } from '../../../lib/model/commit.ts';
import { type Bench, createBench, INVOCATION_MS } from './support.ts';

class Died extends Error {}

/** Counts requests while it is armed and dies at the nth; what the dead still try does not happen. */
function createDeath(when: 'before' | 'after') {
  let left = 0;
  return {
    arm: (nth: number) => {
      left = nth;
    },
    /** True: it was never reached. */
    disarm() {
      const unused = left;
      left = 0;
      return unused > 0;
    },
    async around<T>(_what: string, call: () => Promise<T>): Promise<T> {
      if (left < 0) throw new Died();
      if (left === 0 || --left > 0) return call();
      left = -1;
      if (when === 'after') await call();
      throw new Died();
    },
  };
}

/** A lost tail, an acknowledged commit on top of it; in another stream a changed commit, a missing one and a lost directory item. */
async function damage(bench: Bench): Promise<void> {
  const { dynamo, clock } = bench.system;
  await bench.remove('order-1', 3, 4);
  const events = JSON.stringify([{ id: 'kept', type: 'Placed', data: {} }]);
  const { hash: previousHash } = await bench.item('order-1', 2);
  const facts = { streamId: 'order-1', count: 1, recordedAt: clock.now(), encoding: 'json', format: 1, events };
  const three = { ...facts, version: 3, previousHash } as unknown as StoredCommit;
  const hash = hashCommit(three);
  await dynamo.put({ TableName: 'Events', Item: { ...three, hash } });
  const other = JSON.stringify([{ id: 'kept-too', type: 'Placed', data: {} }]);
  const five = {
    ...facts,
    version: 5,
    previousHash: 'of a commit that is gone',
    events: other,
  } as unknown as StoredCommit;
  await dynamo.put({ TableName: 'Events', Item: { ...five, hash: hashCommit(five) } });
  await bench.change('order-2', 2, { recordedAt: 5 });
  await bench.remove('order-2', 3);
  await dynamo.delete({ TableName: 'Log', Key: { ...directoryKey('order-2') } });
}

async function applied(bench: Bench, planId: string | undefined): Promise<unknown> {
  for (let tries = 0; tries < 5; tries += 1) {
    // The lease of the dead runs out.
    bench.system.clock.advance(INVOCATION_MS + 10_000);
    const end = await bench.apply(planId);
    if (end.result === 'done' || end.result === 'failed') return end;
  }
  throw new Error('the restore did not end');
}

describe.each(['archive', 'point-in-time'] as const)('a restore from the %s that dies', (source) => {
  it.each(['before', 'after'] as const)('%s any request ends where an undisturbed one ends', async (when) => {
    let deaths = 0;
    for (let nth = 1; nth < 200; nth += 1) {
      const death = createDeath(when);
      const bench = await createBench({ around: death.around });
      await bench.fill({ 'order-1': 4, 'order-2': 4, other: 2 });
      await bench.archive();
      const whole = await bench.everything();
      const restoreTo = source === 'archive' ? {} : { restoreTo: bench.system.clock.now() };
      bench.system.clock.advance(3_600_000);
      await damage(bench);
      const { planId } = await bench.plan({ streams: ['order-1', 'order-2'], source, ...restoreTo });
      death.arm(nth);
      const end = await bench.apply(planId).catch((error: unknown) => error);
      if (death.disarm()) {
        expect(end).toMatchObject({ result: 'done' });
        break;
      }
      deaths += 1;
      const final = end instanceof Error ? await applied(bench, planId) : end;
      expect({ nth, final }).toMatchObject({
        final: { result: 'done', totals: { done: 2, notFound: 0, stale: 0, written: 6 } },
      });
      const now = await bench.everything();
      expect({ nth, lost: whole.filter((item) => !now.includes(item)) }).toEqual({ nth, lost: [] });
      expect(now).toHaveLength(whole.length + 2);
      expect((await bench.idsOf('order-1')).slice(4)).toEqual(['kept', 'kept-too']);
      expect(bench.sideTables.size).toBe(0);
      await bench.system.settle();
      await bench.expectProved();
      const writes = (await bench.audits()).filter(({ action }) => /insert|overwrite|remove|directory/.test(action));
      expect(new Set(writes.map(({ input }) => `${input.streamId}@${input.version}`)).size).toBe(writes.length);
      expect(writes).toHaveLength(6);
    }
    expect(deaths).toBeGreaterThan(40);
  });
});
