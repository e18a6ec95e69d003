// Commits that the log does not know yet: only the hash chain and the copies tell what belongs where, and nothing that may have
// been acknowledged is removed while nobody has looked for a copy of it, and a human has not said that it is garbage.

import { beforeEach, describe, expect, it } from '@jest/globals';
import { type Bench, createBench } from './support.ts';

let bench: Bench;

/** Versions 1 to 3 are in the log, the others are not. */
async function unsequenced(...counts: number[]): Promise<string[]> {
  await bench.fill({ a: 3 });
  let n = 0;
  const event = () => ({ id: `late-${++n}`, type: 'Placed', data: {} });
  for (const count of counts) await bench.system.eventStore.append('a', Array.from({ length: count }, event), 'any');
  await bench.archive();
  return bench.everything();
}

const applied = async (more: object = {}) => bench.apply((await bench.plan({ streams: ['a'], ...more })).planId);
const putGarbage = (version: number) =>
  bench.system.dynamo.put({ TableName: 'Events', Item: { streamId: 'a', version, what: 'garbage' } });

beforeEach(async () => {
  bench = await createBench();
});

describe('damaged commits beyond the end of the log', () => {
  it('are all put back, however many follow each other', async () => {
    const whole = await unsequenced(1, 1, 1);
    for (const version of [4, 5, 6]) await bench.damage('a', version);
    const plan = await bench.plan({ streams: ['a'] });
    expect(plan.listed[0]?.changes.map(({ version }) => version)).toEqual([4, 5, 6]);
    expect(await bench.apply(plan.planId)).toMatchObject({ result: 'done', totals: { done: 1, written: 3, forks: 0 } });
    expect(await bench.everything()).toEqual(whole);
  });

  it('are put back behind a place where nothing is left', async () => {
    const whole = await unsequenced(1, 1, 1);
    await bench.remove('a', 5);
    await bench.damage('a', 6);
    expect(await applied()).toMatchObject({ result: 'done', totals: { done: 1, written: 2 } });
    expect(await bench.everything()).toEqual(whole);
  });

  it('are put back before one that is whole, with holes among them', async () => {
    const whole = await unsequenced(1, 2, 1, 1);
    await bench.damage('a', 4);
    await bench.remove('a', 5);
    await bench.damage('a', 7);
    const plan = await bench.plan({ streams: ['a'] });
    expect(plan.listed[0]?.changes.map(({ version, action }) => [version, action])).toEqual([
      [4, 'overwrite'],
      [7, 'overwrite-or-remove'],
    ]);
    expect(await bench.apply(plan.planId)).toMatchObject({ result: 'done', totals: { done: 1, written: 3 } });
    expect(await bench.everything()).toEqual(whole);
  });

  it('make garbage go that stands where a longer commit was', async () => {
    const whole = await unsequenced(3, 1);
    await bench.damage('a', 4);
    await putGarbage(5);
    expect(await applied()).toMatchObject({ result: 'done', totals: { done: 1, removals: 1 } });
    expect(await bench.everything()).toEqual(whole);
  });

  it('stay as they are, all of them, while one has no copy', async () => {
    await unsequenced(1);
    await bench.system.append('a', ['Placed']);
    await bench.damage('a', 4);
    await bench.damage('a', 5);
    const damaged = await bench.everything();
    expect((await applied()).listed[0]).toMatchObject({ status: 'not-found', notFound: [5], written: 0 });
    expect(await bench.everything()).toEqual(damaged);
  });

  it('are put back although the end may be discarded; only what has no copy goes', async () => {
    const whole = await unsequenced(1, 1, 1);
    await bench.damage('a', 4);
    await bench.remove('a', 5);
    await bench.damage('a', 6);
    await putGarbage(8);
    await putGarbage(2 ** 40);
    const plan = await bench.plan({ streams: ['a'], discardUnknownEnd: true });
    expect(plan).toMatchObject({ needsApproval: true, totals: { overwrites: 0, removals: 4 } });
    expect(await bench.apply(plan.planId)).toMatchObject({ result: 'done', totals: { done: 1, forks: 0 } });
    expect(await bench.everything()).toEqual(whole);
    const kept = [...bench.bodies.keys()].filter((key) => key.startsWith('quarantine/'));
    expect(kept).toHaveLength(4);
  });

  it('are looked for in the whole archive before the end is discarded', async () => {
    const whole = await unsequenced(1);
    const { clock } = bench.system;
    const from = clock.now();
    await bench.damage('a', 4);
    await bench.archive({
      type: 'INCREMENTAL_EXPORT',
      fromMs: from,
      toMs: clock.now() + 1,
      view: 'NEW_AND_OLD_IMAGES',
    });
    await bench.archive();
    await applied({ discardUnknownEnd: true });
    expect(await bench.everything()).toEqual(whole);
  });

  it('of which the archive knows two are put back as what stands there says, and not at all when it says nothing', async () => {
    await unsequenced(1);
    const { clock } = bench.system;
    const fromMs = clock.now() - 1_000;
    await bench.remove('a', 4);
    await bench.appendAt('a', 4, [{ id: 'another', type: 'Placed', data: {} }]);
    clock.advance(2_000);
    // The span begins with the one and ends with the other.
    await bench.archive({ type: 'INCREMENTAL_EXPORT', fromMs, toMs: clock.now(), view: 'NEW_AND_OLD_IMAGES' });
    const whole = await bench.everything();
    await bench.damage('a', 4);
    const { hash } = await bench.item('a', 4);
    await bench.change('a', 4, { hash: 'gone' });
    expect((await applied()).listed[0]).toMatchObject({ status: 'not-found', notFound: [4] });
    await bench.change('a', 4, { hash });
    expect(await applied()).toMatchObject({ result: 'done', totals: { done: 1, written: 1 } });
    expect(await bench.everything()).toEqual(whole);
  });

  it('are put back, a thousand and more of them', async () => {
    const whole = await unsequenced(...Array<number>(1_004).fill(1));
    await bench.remove('a', ...Array.from({ length: 1_002 }, (_, index) => index + 4));
    expect(await applied()).toMatchObject({ result: 'done', totals: { done: 1, written: 1_002 } });
    expect(await bench.everything()).toEqual(whole);
  });
});

it('a commit on a fork that stands at the first place beyond the log makes way for what was there', async () => {
  const whole = await unsequenced(1, 1);
  await bench.remove('a', 4);
  await bench.appendAt('a', 4, [{ id: 'kept', type: 'Placed', data: {} }], 'f'.repeat(64));
  const done = await applied();
  expect(done).toMatchObject({ result: 'done', totals: { done: 1, forks: 1, stale: 0 } });
  const now = await bench.everything();
  expect(whole.filter((item) => !now.includes(item))).toEqual([]);
  expect((await bench.idsOf('a')).at(-1)).toBe('kept');
});
